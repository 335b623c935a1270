//! What is drawn once and never changes while a page is open: the tasks that an empty session offers, made from files that
//! are really there, the ways to take a conversation along, and where data lives.

use leptos::prelude::*;

use super::{Pen, html};
use crate::{
    markdown::visible_line,
    protocol::{FileEntry, FileKind, FileList},
    ui::words::{Language, fill, still::still},
};

/// Tasks that an empty session offers.
const EXAMPLES: usize = 3;

impl Pen {
    /// Each puts its task into the composer: by itself, or with the page's next loading where there are no scripts.
    pub fn examples(&self, files: &FileList) -> String {
        let example = |task: String| {
            let shown = visible_line(&task);
            view! {
                <li><form>
                    <input type="hidden" name="message" value=task/>
                    <button class="button wide" type="submit" data-edit="">{shown}</button>
                </form></li>
            }
        };
        html(self.tasks(files).into_iter().map(example).collect_view())
    }

    /// One task for each kind of thing in the folder; plain ones where there is little in it.
    fn tasks(&self, list: &FileList) -> Vec<String> {
        let words = self.still;
        let named = |fits: fn(&FileEntry) -> bool, text: &str| {
            list.entries.iter().find(|entry| fits(entry)).map(|entry| fill(text, &[&entry.name]))
        };
        let found = [
            named(|entry| is(entry, &[".csv", ".tsv", ".xlsx", ".ods"]), words.example_table),
            named(|entry| is(entry, &[".md", ".txt", ".docx", ".pdf"]), words.example_text),
            named(|entry| entry.kind == FileKind::Folder && !entry.name.starts_with('.'), words.example_folder),
        ];
        let plain = [words.example_plain, words.example_search, words.example_new].map(str::to_owned);
        found.into_iter().flatten().chain(plain).take(EXAMPLES).collect()
    }

    /// The conversation as a file, for people and for programs.
    pub fn exports(&self) -> String {
        let link = |format: &str, text: &'static str| {
            let href = format!("{}/export?format={format}", self.base);
            view! { <a class="button quiet wide" href=href>{text}</a> }
        };
        html(view! { {link("markdown", self.still.export_text)}{link("json", self.still.export_data)} })
    }
}

/// Where data lives and who can see it.
pub fn facts(language: Language) -> String {
    let w = still(language);
    html(view! {
        <h2 class="facts">{w.facts}</h2>
        <ul class="facts"><li>{w.facts_where}</li><li>{w.facts_who}</li><li>{w.facts_restart}</li></ul>
    })
}

fn is(entry: &FileEntry, endings: &[&str]) -> bool {
    let name = entry.name.to_lowercase();
    entry.kind == FileKind::File && endings.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{BasePath, SessionId},
        ui::words::Language,
    };

    fn entry(name: &str, kind: FileKind) -> FileEntry {
        FileEntry { name: name.into(), path: name.into(), kind, size: None, modified_at: None }
    }

    #[test]
    fn tasks_name_what_is_there() {
        let pen = Pen::new(Language::English, &SessionId("5".repeat(32)), &BasePath::default());
        let entries = vec![
            entry(".git", FileKind::Folder),
            entry("in & out", FileKind::Folder),
            entry("notes.txt", FileKind::File),
            entry("Ledger.CSV", FileKind::File),
        ];
        let files = FileList { entries, truncated: false };
        let tasks = pen.tasks(&files);
        assert_eq!(tasks.len(), EXAMPLES);
        for (task, name) in tasks.iter().zip(["Ledger.CSV", "notes.txt", "in & out"]) {
            assert!(task.contains(name), "{task}");
        }
        assert!(pen.examples(&files).contains("in &amp; out"));
        assert_eq!(pen.tasks(&FileList::default()).len(), EXAMPLES);
    }
}
