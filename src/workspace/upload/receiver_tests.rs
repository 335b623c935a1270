use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use tempfile::TempDir;

use super::*;
use crate::protocol::ErrorCode;

pub(super) const LIMITS: UploadLimits = UploadLimits {
    file_bytes: 1000,
    request_bytes: 10_000,
    files: 1000,
    workspace_bytes: None,
    free_bytes: 0,
    keep_partial: std::time::Duration::ZERO,
};

/// A workspace `w` with the folder `outside` beside it.
pub(super) struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("w/docs")).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        Self { folder }
    }

    pub fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("w")
    }

    pub fn receiver(&self, target: &str, rule: OnConflict) -> Receiver {
        let rules = Rules::new(target, rule, LIMITS).unwrap();
        Receiver::open(&self.root(), rules, None).unwrap()
    }

    pub fn upload(&self, rule: OnConflict, name: &str, text: &str) -> UploadedFile {
        let mut receiver = self.receiver(".", rule);
        receiver.begin(name);
        receiver.write(text.as_bytes());
        receiver.end();
        receiver.finish().remove(0)
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// All names below the workspace, also of unfinished files.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path.clone());
                }
                names.push(path.strip_prefix(self.root()).unwrap().to_str().unwrap().to_owned());
            }
        }
        names.sort();
        names
    }
}

pub(super) fn code(file: &UploadedFile) -> Option<ErrorCode> {
    file.error.as_ref().map(|error| error.code)
}

/// Both ways to write a file: without a name, and where the system can't do that.
fn both_ways(test: impl Fn(Receiver, &Place)) {
    for unnamed in [true, false] {
        let place = Place::new();
        let mut receiver = place.receiver(".", OnConflict::Fail);
        receiver.unnamed = unnamed;
        test(receiver, &place);
    }
}

#[test]
fn a_file_appears_when_it_is_whole_and_not_before() {
    both_ways(|mut receiver, place| {
        receiver.begin("new/folder/a.txt");
        receiver.write(b"hel");
        receiver.write(b"lo");
        let seen: Vec<_> = place.names().into_iter().filter(|name| !name.starts_with(".cowork-part-upload-")).collect();
        assert_eq!(seen, ["docs"], "nothing that a person sees");
        receiver.end();
        let files = receiver.finish();
        assert_eq!(files[0].status, UploadStatus::Uploaded, "{files:?}");
        assert_eq!((files[0].path.as_deref(), files[0].size), (Some("new/folder/a.txt"), 5));
        let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(files[0].sha256.as_deref(), Some(hash));
        assert_eq!(place.text("new/folder/a.txt"), "hello");
        assert_eq!(place.names(), ["docs", "new", "new/folder", "new/folder/a.txt"]);
    });
}

/// Promise P6, assurance row 37.
#[test]
fn a_file_that_does_not_arrive_whole_leaves_nothing() {
    both_ways(|mut receiver, place| {
        receiver.begin("a.txt");
        receiver.write(b"half");
        receiver.abandon(ApiError::new(ErrorCode::UploadInterrupted, "Cut off."));
        receiver.begin("b.txt");
        receiver.write(b"half");
        let files = receiver.finish();
        assert_eq!(code(&files[0]), Some(ErrorCode::UploadInterrupted));
        assert_eq!(files[1].status, UploadStatus::Failed);
        assert_eq!(place.names(), ["docs"]);
    });
}

#[test]
fn a_receiver_that_is_dropped_leaves_nothing() {
    both_ways(|mut receiver, place| {
        receiver.begin("a.txt");
        receiver.write(b"whole");
        receiver.end();
        receiver.begin("b.txt");
        receiver.write(b"half");
        drop(receiver);
        assert_eq!(place.names(), ["docs"]);
    });
}

/// Assurance row 38: one byte below, at and above the limit.
#[test]
fn the_limit_for_a_file_is_exact_and_the_others_go_on() {
    let place = Place::new();
    let mut receiver = place.receiver(".", OnConflict::Fail);
    for size in [999_usize, 1000, 1001, 0] {
        receiver.begin(&format!("{size}"));
        for piece in vec![b'x'; size].chunks(300) {
            receiver.write(piece);
        }
        receiver.end();
    }
    let files = receiver.finish();
    let codes: Vec<_> = files.iter().map(code).collect();
    assert_eq!(codes, [None, None, Some(ErrorCode::FileTooLarge), None]);
    assert!(files[2].error.as_ref().unwrap().detail.contains("1000 bytes"));
    assert_eq!(place.names(), ["0", "1000", "999", "docs"]);
    assert_eq!(fs::metadata(place.root().join("0")).unwrap().len(), 0);
}

/// Assurance row 31.
#[test]
fn a_target_that_leads_out_is_refused_for_all() {
    for target in ["..", "a/../../b", "/tmp", "..\\a", "a\0b", "c:x"] {
        let error = Rules::new(target, OnConflict::Fail, LIMITS).unwrap_err();
        assert_eq!(error.code, ErrorCode::PathOutsideWorkspace, "{target:?}");
    }
    let place = Place::new();
    symlink(place.folder.path().join("outside"), place.root().join("link")).unwrap();
    symlink("/proc/self/root", place.root().join("proc")).unwrap();
    fs::write(place.root().join("file"), "").unwrap();
    for (target, expected) in [
        ("link", ErrorCode::PathOutsideWorkspace),
        ("link/deeper", ErrorCode::PathOutsideWorkspace),
        ("proc/tmp", ErrorCode::PathOutsideWorkspace),
        ("file", ErrorCode::NotAFolder),
        ("file/x", ErrorCode::NotAFolder),
        (".git", ErrorCode::BadName),
        ("docs/con", ErrorCode::BadName),
    ] {
        let rules = Rules::new(target, OnConflict::Fail, LIMITS).unwrap();
        let error = Receiver::open(&place.root(), rules, None).err().unwrap();
        assert_eq!(error.code, expected, "{target}");
    }
    assert!(fs::read_dir(place.folder.path().join("outside")).unwrap().next().is_none());
}

/// Assurance rows 32 and 33.
#[test]
fn no_link_takes_a_file_out() {
    let place = Place::new();
    let outside = place.folder.path().join("outside");
    fs::write(outside.join("key"), "theirs").unwrap();
    symlink(&outside, place.root().join("out")).unwrap();
    symlink("../outside", place.root().join("relative")).unwrap();
    symlink(outside.join("key"), place.root().join("key")).unwrap();
    symlink("loop", place.root().join("loop")).unwrap();
    symlink("nowhere", place.root().join("dangling")).unwrap();
    for name in ["out/a", "relative/a", "loop/a", "dangling/a"] {
        assert_eq!(code(&place.upload(OnConflict::Fail, name, "x")), Some(ErrorCode::PathOutsideWorkspace), "{name}");
    }
    assert_eq!(code(&place.upload(OnConflict::Replace, "key", "x")), Some(ErrorCode::PathOutsideWorkspace));
    assert_eq!(code(&place.upload(OnConflict::Replace, "dangling", "x")), Some(ErrorCode::PathOutsideWorkspace));
    assert_eq!(code(&place.upload(OnConflict::Fail, "key", "x")), Some(ErrorCode::AlreadyExists));
    assert_eq!(fs::read_to_string(outside.join("key")).unwrap(), "theirs");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    symlink("docs", place.root().join("papers")).unwrap();
    assert_eq!(
        place.upload(OnConflict::Fail, "papers/a", "x").status,
        UploadStatus::Uploaded,
        "a link inside is a way"
    );
    assert_eq!(place.text("docs/a"), "x");
}

/// Assurance row 40: both Unicode forms of a name are one file.
#[test]
fn a_name_is_kept_in_one_form() {
    let place = Place::new();
    assert_eq!(place.upload(OnConflict::Fail, "a\u{308}.txt", "1").path.as_deref(), Some("ä.txt"));
    assert_eq!(code(&place.upload(OnConflict::Fail, "ä.txt", "2")), Some(ErrorCode::AlreadyExists));
    assert_eq!(place.text("ä.txt"), "1");
}

/// Assurance row 43.
#[test]
fn capitals_tell_files_apart_where_the_file_system_does() {
    let place = Place::new();
    place.upload(OnConflict::Fail, "A.txt", "1");
    place.upload(OnConflict::Fail, "a.txt", "2");
    assert_eq!((place.text("A.txt"), place.text("a.txt")), ("1".into(), "2".into()));
}

/// Assurance row 49.
#[test]
fn content_is_nothing_that_is_looked_at() {
    let place = Place::new();
    let eicar = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
    for (name, text) in
        [("eicar.com.txt", eicar), ("page.png", "<script>alert(1)</script>"), ("zip.zip", "PK\u{3}\u{4}")]
    {
        assert_eq!(place.upload(OnConflict::Fail, name, text).status, UploadStatus::Uploaded);
        assert_eq!(place.text(name), text);
    }
}

/// Assurance row 39.
#[test]
fn a_workspace_that_would_be_too_full_takes_no_more() {
    let place = Place::new();
    fs::write(place.root().join("old"), vec![0; 500]).unwrap();
    let limits = UploadLimits { workspace_bytes: Some(800), ..LIMITS };
    let rules = || Rules::new(".", OnConflict::Fail, limits).unwrap();
    let mut receiver = Receiver::open(&place.root(), rules(), None).unwrap();
    for (name, size) in [("a", 200), ("b", 101), ("c", 100), ("d", 1)] {
        receiver.begin(name);
        receiver.write(&vec![0; size]);
        receiver.end();
    }
    let codes: Vec<_> = receiver.finish().iter().map(code).collect();
    assert_eq!(codes, [None, Some(ErrorCode::QuotaExceeded), None, Some(ErrorCode::QuotaExceeded)]);
    assert_eq!(Receiver::open(&place.root(), rules(), None).err().unwrap().code, ErrorCode::QuotaExceeded);
}

#[test]
fn a_disk_that_would_have_too_little_left_takes_nothing() {
    let place = Place::new();
    let limits = UploadLimits { free_bytes: u64::MAX / 2, ..LIMITS };
    let rules = Rules::new(".", OnConflict::Fail, limits).unwrap();
    assert_eq!(Receiver::open(&place.root(), rules, Some(1)).err().unwrap().code, ErrorCode::NoSpace);
    assert_eq!(place.names(), ["docs"]);
}

#[test]
fn more_files_than_allowed_are_refused_one_by_one() {
    let place = Place::new();
    let rules = Rules::new(".", OnConflict::Fail, UploadLimits { files: 2, ..LIMITS }).unwrap();
    let mut receiver = Receiver::open(&place.root(), rules, None).unwrap();
    for name in ["a", "b", "c"] {
        receiver.begin(name);
        receiver.end();
    }
    let codes: Vec<_> = receiver.finish().iter().map(code).collect();
    assert_eq!(codes, [None, None, Some(ErrorCode::TooManyFiles)]);
}

/// Assurance row 48, in small: more files than are synced together.
#[test]
fn hundreds_of_files_arrive_in_their_order() {
    both_ways(|mut receiver, place| {
        for number in 0..MOST_TOGETHER + 10 {
            receiver.begin(&format!("many/{}/{number}.txt", number % 7));
            receiver.write(number.to_string().as_bytes());
            receiver.end();
        }
        let files = receiver.finish();
        for (number, file) in files.iter().enumerate() {
            assert_eq!(file.status, UploadStatus::Uploaded, "{file:?}");
            assert_eq!(place.text(file.path.as_deref().unwrap()), number.to_string());
        }
    });
}

#[test]
fn what_a_kill_left_is_swept_and_what_is_being_written_stays() {
    let place = Place::new();
    fs::create_dir_all(place.root().join("docs/deep")).unwrap();
    let left = ["docs/.cowork-part-upload-1", "docs/deep/.cowork-part-upload-2"];
    left.iter().for_each(|name| fs::write(place.root().join(name), "half").unwrap());
    let mut receiver = place.receiver("docs", OnConflict::Fail);
    receiver.unnamed = false;
    receiver.begin("a.txt");
    receiver.write(b"x");
    sweep_left(&place.root(), "docs");
    assert!(left.iter().all(|name| !place.root().join(name).exists()));
    receiver.end();
    assert_eq!(receiver.finish()[0].status, UploadStatus::Uploaded);
    assert_eq!(place.names(), ["docs", "docs/a.txt", "docs/deep"]);
}

#[test]
fn a_file_that_stands_elsewhere_gets_its_name_here() {
    let place = Place::new();
    let partial = place.folder.path().join("partial");
    fs::write(&partial, "whole").unwrap();
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o644)).unwrap();
    let mut receiver = place.receiver("docs", OnConflict::Fail);
    receiver.adopt("a.txt", fs::File::open(&partial).unwrap());
    receiver.adopt("../a.txt", fs::File::open(&partial).unwrap());
    let files = receiver.finish();
    assert_eq!((files[0].status, files[0].size), (UploadStatus::Uploaded, 5));
    assert_eq!(code(&files[1]), Some(ErrorCode::PathOutsideWorkspace));
    fs::remove_file(&partial).unwrap();
    assert_eq!(place.text("docs/a.txt"), "whole");
}
