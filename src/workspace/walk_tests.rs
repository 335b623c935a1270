use std::{fs, os::unix::fs::symlink, path::Path};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;

fn place(files: &[(&str, &str)]) -> TempDir {
    let place = TempDir::new().unwrap();
    for (file, text) in files {
        let file = place.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    place
}

fn files(root: &Path, folder: &str, hidden: Hidden) -> Vec<String> {
    let workspace = Workspace::open(root).unwrap();
    let walk = workspace.walk(&WorkspacePath::parse(folder).unwrap(), hidden).unwrap();
    walk.filter_map(|found| match found {
        Found::File(path) => Some(path.to_string()),
        Found::Folder(_) | Found::Link(_) => None,
    })
    .collect()
}

#[test]
fn files_come_in_a_fixed_order_and_links_are_not_followed() {
    let place = place(&[("b.txt", ""), ("A/z.txt", ""), ("A/y/x.txt", ""), ("c/d.txt", "")]);
    symlink("A", place.path().join("link")).unwrap();
    symlink("b.txt", place.path().join("link.txt")).unwrap();
    assert_eq!(files(place.path(), ".", Hidden::Skip), ["A/y/x.txt", "A/z.txt", "b.txt", "c/d.txt"]);
    assert_eq!(files(place.path(), "A", Hidden::Skip), ["A/y/x.txt", "A/z.txt"]);
}

#[test]
fn hidden_files_come_when_asked_for_and_git_never() {
    let place = place(&[("a.txt", ""), (".env", ""), (".config/b.txt", ""), (".git/config", "")]);
    assert_eq!(files(place.path(), ".", Hidden::Skip), ["a.txt"]);
    assert_eq!(files(place.path(), ".", Hidden::Include), [".config/b.txt", ".env", "a.txt"]);
}

#[test]
fn gitignore_rules_hold_and_the_nearest_one_wins() {
    let place = place(&[
        (".gitignore", "*.log\n/build/\n# a comment\n"),
        ("a.log", ""),
        ("a.txt", ""),
        ("build/out.txt", ""),
        ("src/build/kept.txt", ""),
        ("src/b.log", ""),
        ("src/.gitignore", "!b.log\n/only.txt\n"),
        ("src/only.txt", ""),
        ("src/deep/only.txt", ""),
        ("src/deep/c.log", ""),
    ]);
    let expected = ["a.txt", "src/b.log", "src/build/kept.txt", "src/deep/only.txt"];
    assert_eq!(files(place.path(), ".", Hidden::Skip), expected);
    assert_eq!(files(place.path(), "src", Hidden::Skip), &expected[1..], "rules of folders above hold, too");
}

#[test]
fn a_gitignore_that_is_a_pipe_or_leads_out_has_no_rules() {
    let outside = place(&[("rules", "a.txt\n")]);
    let place = place(&[("a.txt", ""), ("b/c.txt", "")]);
    mknodat(CWD, place.path().join(".gitignore"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    symlink(outside.path().join("rules"), place.path().join("b/.gitignore")).unwrap();
    assert_eq!(files(place.path(), ".", Hidden::Skip), ["a.txt", "b/c.txt"]);
}
