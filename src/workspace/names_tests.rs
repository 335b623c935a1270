use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> NameError {
    new_path(text).expect_err(text)
}

#[test]
fn ordinary_names_of_all_kinds_are_taken_as_they_are() {
    for name in [
        "report.pdf",
        "Überschuß.txt",
        "数据/表 1.csv",
        "a b.txt",
        " leading",
        "-rf",
        ".env",
        ".gitignore",
        "folder/.hidden/x",
        "A.txt",
        "%2e%2e",
        "~",
        "ab:c",
        "what?<>|\"*.txt",
        "console.txt",
        "community",
        "com10",
        "nullable.rs",
        "👩\u{200D}👧.png",
        "می\u{200C}خواهم.txt",
        "a…",
    ] {
        let path = new_path(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(path.as_str(), name);
    }
}

/// Assurance rows 31 and 42: what would lead out is told apart from what is merely no name.
#[test]
fn what_leads_out_says_so() {
    for name in ["..", "../a", "a/../b", "/a", "//a", "a\\b", "..\\a", "C:a", "c:/a", "a\0b"] {
        assert!(refused(name).leads_out(), "{name:?}");
    }
    for name in ["", ".", "a//b", "a/./b", "a/", "./a", "a.", "con", "\u{202E}a"] {
        assert!(!refused(name).leads_out(), "{name:?}");
    }
}

/// Assurance row 41.
#[test]
fn names_that_windows_takes_for_something_else_are_refused() {
    for name in
        ["CON", "nul.txt", "Aux", "prn.tar.gz", "com1", "LPT9.log", "COM¹", "com0", "CONIN$", "con .txt", "x/NUL"]
    {
        assert!(matches!(refused(name), NameError::Device(_)), "{name}");
    }
    for name in ["a.", "a ", "a. .", "...", "x/y./z"] {
        assert!(matches!(refused(name), NameError::Trailing(_)), "{name}");
    }
}

/// Assurance row 42.
#[test]
fn names_that_deceive_or_belong_to_somebody_are_refused() {
    for name in [
        "a\nb",
        "a\tb",
        "a\u{7F}",
        "a\u{9B}",
        "invoice\u{202E}fdp.exe",
        "a\u{200B}b",
        "a\u{2066}b",
        "a\u{FEFF}",
        "a\u{FFFD}",
    ] {
        assert!(matches!(refused(name), NameError::Hidden(_)), "{name:?}");
    }
    for name in [".git", ".git/config", "x/.GIT/hooks", ".git.", ".Git "] {
        assert_eq!(refused(name), NameError::Git, "{name}");
    }
    assert_eq!(refused(&format!("{PART_PREFIX}x")), NameError::Reserved);
    assert_eq!(refused(&"a".repeat(256)), NameError::TooLong);
    assert_eq!(refused(&"a/".repeat(4000)), NameError::Path(PathError::TooLong));
}

/// Assurance row 40: the limit counts bytes after NFC.
#[test]
fn both_forms_of_a_name_are_one() {
    assert_eq!(new_path("a\u{308}.txt").unwrap(), new_path("ä.txt").unwrap());
    let decomposed = "e\u{301}".repeat(127);
    assert!(decomposed.len() > MAX_NAME_BYTES);
    assert_eq!(new_path(&decomposed).unwrap().as_str().len(), 254);
}

#[test]
fn a_number_stands_before_the_ending() {
    for (name, expected) in [
        ("a.txt", "a (2).txt"),
        ("a", "a (2)"),
        (".env", ".env (2)"),
        ("a.tar.gz", "a.tar (2).gz"),
        ("a .txt", "a (2).txt"),
    ] {
        assert_eq!(numbered(name, 2), expected);
    }
    let long = format!("{}.txt", "ä".repeat(125));
    let numbered = numbered(&long, 17);
    assert!(numbered.len() <= MAX_NAME_BYTES && numbered.ends_with(" (17).txt"), "{numbered}");
}

#[test]
fn a_name_is_shown_without_what_deceives() {
    assert_eq!(shown("a\u{202E}b\nc"), "a⟨U+202E⟩b⟨U+000A⟩c");
    assert!(shown(&"x".repeat(100_000)).len() < 2 * MAX_SHOWN_BYTES);
}

proptest! {
    #[test]
    fn whatever_is_taken_stays_inside_is_nfc_and_fits(text in r"[a-cA-C./\\:~\x00\n é\u{301}\u{202E}CON]{0,24}") {
        if let Ok(path) = new_path(&text) {
            prop_assert!(path.names().all(|name| check(name).is_ok() && name != ".."));
            let again = new_path(path.as_str()).unwrap();
            prop_assert_eq!(&again, &path);
            let form: String = text.nfc().collect();
            prop_assert_eq!(path.as_str(), form);
        }
    }

    #[test]
    fn a_numbered_name_is_a_name(name in r"[a-z. é]{1,300}", number in 2u32..10_000) {
        let numbered = numbered(&name, number);
        prop_assert!(numbered.len() <= MAX_NAME_BYTES);
        if check(&name).is_ok() {
            prop_assert!(check(&numbered).is_ok(), "{}", numbered);
        }
    }
}
