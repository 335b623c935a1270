//! What one could ask for, made from files that are really there.

use crate::{
    protocol::{FileEntry, FileKind, FileList},
    ui::{
        browser,
        words::{fill, words},
    },
};

/// Tasks that an empty session offers.
pub const EXAMPLES: usize = 3;

/// One task for each kind of thing in the folder; plain ones where there is little in it.
pub fn examples(list: &FileList) -> Vec<String> {
    let w = &words().files;
    let named = |fits: fn(&FileEntry) -> bool, text: &str| {
        list.entries.iter().find(|entry| fits(entry)).map(|entry| fill(text, &[&entry.name]))
    };
    let found = [
        named(|entry| is(entry, &[".csv", ".tsv", ".xlsx", ".ods"]), w.example_table),
        named(|entry| is(entry, &[".md", ".txt", ".docx", ".pdf"]), w.example_text),
        named(|entry| entry.kind == FileKind::Folder && !entry.name.starts_with('.'), w.example_folder),
    ];
    let plain = [w.example_plain, w.example_search, w.example_new].map(str::to_owned);
    found.into_iter().flatten().chain(plain).take(EXAMPLES).collect()
}

fn is(entry: &FileEntry, endings: &[&str]) -> bool {
    let name = browser::lowercase(&entry.name);
    entry.kind == FileKind::File && endings.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: FileKind) -> FileEntry {
        FileEntry { name: name.into(), path: name.into(), kind, size: None, modified_at: None }
    }

    #[test]
    fn tasks_name_what_is_there() {
        let entries = vec![
            entry(".git", FileKind::Folder),
            entry("invoices", FileKind::Folder),
            entry("notes.txt", FileKind::File),
            entry("Ledger.CSV", FileKind::File),
        ];
        let tasks = examples(&FileList { entries, truncated: false });
        assert_eq!(tasks.len(), EXAMPLES);
        for (task, name) in tasks.iter().zip(["Ledger.CSV", "notes.txt", "invoices"]) {
            assert!(task.contains(name), "{task}");
        }
        assert_eq!(examples(&FileList::default()).len(), EXAMPLES);
    }
}
