use std::{fs, os::unix::fs::symlink};

use tempfile::TempDir;

use super::*;

/// `root/{Beta/inner, alpha, .ssh, file.txt}`, beside it `root-secret` and `elsewhere`.
fn place() -> (TempDir, Roots) {
    let place = TempDir::new().unwrap();
    for folder in ["root/Beta/inner", "root/alpha", "root/.ssh/deep", "root-secret", "elsewhere"] {
        fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    fs::write(place.path().join("root/file.txt"), "").unwrap();
    let root = place.path().join("root");
    (place, Roots::new([root.clone()], Some(root.join("alpha"))))
}

fn code(result: Result<PathBuf, ApiError>) -> ErrorCode {
    result.unwrap_err().code
}

#[test]
fn a_folder_below_a_root_is_taken_and_without_one_the_default() {
    let (place, roots) = place();
    let root = place.path().canonicalize().unwrap().join("root");
    assert_eq!(roots.resolve(Some(&shown(&root.join("Beta/inner")))).unwrap(), root.join("Beta/inner"));
    assert_eq!(roots.resolve(Some(&shown(&root))).unwrap(), root);
    assert_eq!(roots.resolve(None).unwrap(), root.join("alpha"));
    assert_eq!(code(Roots::new([root], None).resolve(None)), ErrorCode::WorkspaceNotFound);
}

#[test]
fn folders_outside_the_roots_hidden_ones_and_missing_ones_are_refused() {
    let (place, roots) = place();
    symlink(place.path().join("elsewhere"), place.path().join("root/out")).unwrap();
    symlink(place.path().join("root/.ssh"), place.path().join("root/keys")).unwrap();
    symlink("nowhere", place.path().join("root/dangling")).unwrap();
    for (folder, expected) in [
        ("root-secret", ErrorCode::WorkspaceNotAllowed),
        ("elsewhere", ErrorCode::WorkspaceNotAllowed),
        ("root/../elsewhere", ErrorCode::WorkspaceNotAllowed),
        ("root/../not-there", ErrorCode::WorkspaceNotAllowed),
        ("not-there", ErrorCode::WorkspaceNotAllowed),
        ("root/out", ErrorCode::WorkspaceNotAllowed),
        ("root/.ssh", ErrorCode::WorkspaceNotAllowed),
        ("root/.ssh/deep", ErrorCode::WorkspaceNotAllowed),
        ("root/keys", ErrorCode::WorkspaceNotAllowed),
        ("root/.not-there", ErrorCode::WorkspaceNotAllowed),
        ("root/missing", ErrorCode::WorkspaceNotFound),
        ("root/dangling", ErrorCode::WorkspaceNotFound),
        ("root/file.txt", ErrorCode::WorkspaceNotFound),
    ] {
        let text = shown(&place.path().join(folder));
        assert_eq!(code(roots.resolve(Some(&text))), expected, "{folder}");
        assert_eq!(roots.check(Path::new(&text)).unwrap_err().code, expected, "{folder}");
    }
    for relative in ["", "root", ".", "~", "a\0b"] {
        assert_eq!(code(roots.resolve(Some(relative))), ErrorCode::WorkspaceNotFound, "{relative:?}");
    }
}

#[test]
fn a_refusal_names_no_path_but_the_one_that_was_sent() {
    let (place, roots) = place();
    symlink(place.path().join("elsewhere"), place.path().join("root/out")).unwrap();
    let detail = roots.resolve(Some(&shown(&place.path().join("root/out")))).unwrap_err().detail;
    assert!(detail.contains("root/out"), "{detail}");
    assert!(!detail.contains("elsewhere"), "{detail}");
}

#[test]
fn browsing_starts_in_the_only_root_and_shows_folders_by_name() {
    let (place, roots) = place();
    let root = place.path().canonicalize().unwrap().join("root");
    symlink(place.path().join("elsewhere"), root.join("out")).unwrap();
    symlink("Beta", root.join("gamma")).unwrap();
    let list = roots.browse(None).unwrap();
    assert_eq!(list.dir, Some(shown(&root)));
    assert_eq!(list.parent, None);
    let names: Vec<&str> = list.folders.iter().map(|folder| folder.name.as_str()).collect();
    assert_eq!(names, ["alpha", "Beta", "gamma"]);

    let inner = roots.browse(Some(&shown(&root.join("Beta")))).unwrap();
    assert_eq!(inner.parent, Some(shown(&root)));
    assert_eq!(inner.folders, [Folder { name: "inner".into(), path: shown(&root.join("Beta/inner")) }]);
    assert_eq!(roots.browse(Some(&shown(place.path()))).unwrap_err().code, ErrorCode::WorkspaceNotAllowed);
}

#[test]
fn browsing_starts_with_the_roots_where_there_are_several() {
    let (place, _) = place();
    let real = place.path().canonicalize().unwrap();
    let roots = Roots::new([real.join("root"), real.join("elsewhere"), real.join("root"), real.join("gone")], None);
    let list = roots.browse(None).unwrap();
    assert_eq!((list.dir, list.parent), (None, None));
    let names: Vec<&str> = list.folders.iter().map(|folder| folder.name.as_str()).collect();
    assert_eq!(names, ["root", "elsewhere"]);
}

#[test]
fn a_listing_has_an_upper_limit() {
    let place = TempDir::new().unwrap();
    for number in 0..=MAX_FOLDERS {
        fs::create_dir(place.path().join(format!("{number:05}"))).unwrap();
    }
    let roots = Roots::new([place.path().to_path_buf()], None);
    assert_eq!(roots.browse(None).unwrap().folders.len(), MAX_FOLDERS);
}
