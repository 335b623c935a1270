//! Words of what only the server draws on a session's page, once: the tasks that an empty one offers, and the ways out.

use super::Language;

pub struct StillWords {
    pub example_table: &'static str,
    pub example_text: &'static str,
    pub example_folder: &'static str,
    pub example_plain: &'static str,
    pub example_search: &'static str,
    pub example_new: &'static str,

    pub export_text: &'static str,
    pub export_data: &'static str,
}

pub fn still(language: Language) -> &'static StillWords {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

static ENGLISH: StillWords = StillWords {
    example_table: "Summarise {0}: totals, and anything that looks odd",
    example_text: "Read {0} and list what is still open",
    example_folder: "What is in {0}, and which files belong together?",
    example_plain: "What is in this folder?",
    example_search: "Which files mention \u{201c}invoice\u{201d}?",
    example_new: "Write a short text file with a plan for today",

    export_text: "Download as text (Markdown)",
    export_data: "Download as data (JSON)",
};

static GERMAN: StillWords = StillWords {
    example_table: "Fasse {0} zusammen: Summen, und was seltsam aussieht",
    example_text: "Lies {0} und liste auf, was noch offen ist",
    example_folder: "Was liegt in {0}, und welche Dateien gehören zusammen?",
    example_plain: "Was liegt in diesem Ordner?",
    example_search: "In welchen Dateien steht \u{201e}Rechnung\u{201c}?",
    example_new: "Schreibe eine kurze Textdatei mit einem Plan für heute",

    export_text: "Als Text herunterladen (Markdown)",
    export_data: "Als Daten herunterladen (JSON)",
};
