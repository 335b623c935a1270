//! Every text that a person reads stands in the catalogue `src/ui/words`: here are found those that don't.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| sources(folder)).collect();
    found.extend(files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")));
    found
}

/// The literals of a source without its comments and tests, each with what stands before and behind it.
fn literals(source: &str) -> Vec<(String, String, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let lines: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let source = lines.join("\n");
    let mut found = Vec::new();
    let mut rest = source.as_str();
    while let Some(start) = rest.find('"') {
        // The quote character itself.
        if rest[..start].ends_with('\'') && rest[start..].starts_with("\"'") {
            rest = &rest[start + 2..];
            continue;
        }
        let before = rest[..start].chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
        let body = &rest[start + 1..];
        let mut escaped = false;
        let end = body.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let end = end.unwrap();
        found.push((before, body[..end].to_owned(), body[end + 1..].chars().take(2).collect()));
        rest = &body[end + 1..];
    }
    found
}

/// What only machines read: names of attributes and classes, addresses, markup, a path of an icon, the name of a key.
fn is_for_machines(before: &str, text: &str, behind: &str) -> bool {
    let read_by_people = ["aria-label=", "title=", "placeholder=", "alt=", "label="];
    if read_by_people.iter().any(|attribute| before.ends_with(attribute)) {
        return false;
    }
    if text == "cowork link" {
        return true;
    }
    let is_text_of_an_element =
        before.ends_with('>') && behind.starts_with('<') || before.ends_with('}') && behind.starts_with('<');
    if is_text_of_an_element {
        return false;
    }
    let is_attribute = before.ends_with('=');
    let is_name = !text.trim().contains(' ') && !text.starts_with(char::is_uppercase);
    let class_characters = |c: char| c.is_ascii_lowercase() || "-{} ".contains(c);
    let is_classes = text.contains('-') && text.chars().all(class_characters);
    // What stands beside values and escaped characters.
    let beside: String = text.split(['{', '}']).step_by(2).collect();
    let is_unit_of_value = ["ms", ". s", "\\uK", "\\u \\u", ""].contains(&beside.trim());
    let is_markup = text.starts_with('<') || text.starts_with("\\\"") || text.starts_with('.') || text.starts_with('#');
    let is_icon =
        text.starts_with('M') && text.chars().all(|c| c.is_ascii_digit() || " MLHVCSAZmlhvcsaz.-".contains(c));
    let is_key = [
        "Enter",
        "Escape",
        "Home",
        "End",
        "Delete",
        "F2",
        "Tab",
        "Esc",
        "Shift Enter",
        "INPUT",
        "TEXTAREA",
        "SELECT",
        "PATCH",
        "POST",
        "DELETE",
        "HEAD",
        "GET",
    ]
    .contains(&text)
        || text.starts_with("Arrow")
        || text.starts_with("Key")
        || ["Ctrl ", "Alt "].iter().any(|held| text.starts_with(held));
    let is_query = text.starts_with('(') && text.ends_with(')');
    let is_unit = ["B", "MB", "GB", " B", "Jan", "Cowork", "{} · Cowork"].contains(&text);
    is_attribute || is_name || is_classes || is_unit_of_value || is_markup || is_icon || is_key || is_query || is_unit
}

#[test]
fn every_text_of_the_page_stands_in_the_catalogue() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let ui = src.join("ui");
    let mut strays = Vec::new();
    let mut seen = 0;
    let plain = ["web/plain.rs", "web/sharing_page.rs", "web/auth/pages.rs"].map(|page| src.join(page));
    for file in sources(&ui).into_iter().chain(plain) {
        let inside = file.strip_prefix(&ui).unwrap_or(&file);
        // The catalogue; and names of what a browser has.
        if inside.starts_with("words") || inside == Path::new("words.rs") || inside.starts_with("browser") {
            continue;
        }
        for (before, text, behind) in literals(&fs::read_to_string(&file).unwrap()) {
            seen += 1;
            if text.chars().any(char::is_alphabetic) && !is_for_machines(&before, &text, &behind) {
                strays.push(format!("{}: {text:?}", inside.display()));
            }
        }
    }
    assert!(seen > 200, "the reader of sources finds literals");
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn both_kinds_of_text_are_told_apart() {
    let source = r#"view! { <p class="notice big" title="Read this">"read me"</p> } // "no"
        event.key() == "ArrowDown"; path(&["/turns/", x]); let a = "Something is said";"#;
    let strays: Vec<_> = literals(source)
        .into_iter()
        .filter(|(before, text, behind)| !is_for_machines(before, text, behind))
        .map(|found| found.1)
        .collect();
    assert_eq!(strays, ["Read this", "read me", "Something is said"]);
}
