//! Words of what only the server draws, once: the tasks that an empty session offers, the ways out, and where data lives.

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

    pub facts: &'static str,
    pub facts_where: &'static str,
    pub facts_who: &'static str,
    pub facts_restart: &'static str,
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

    facts: "Where your data lives",
    facts_where: "Your files stay in their folder. Conversations and logs are kept in one database file on the computer that runs Cowork; nothing is sent anywhere but to the model that you choose.",
    facts_who: "A session is seen by whoever made it and by those it is shared with; one that Loom made, by everyone who may sign in. Whoever administers this computer can read the files.",
    facts_restart: "A restart of the server keeps conversations, logs, uploads and everything that waits for you. A turn that was running is marked, and goes on when you say so.",
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

    facts: "Wo Ihre Daten liegen",
    facts_where: "Ihre Dateien bleiben in ihrem Ordner. Unterhaltungen und Protokolle stehen in einer Datenbankdatei auf dem Rechner, auf dem Cowork läuft; nichts geht woandershin als an das Modell, das Sie wählen.",
    facts_who: "Eine Sitzung sieht, wer sie angelegt hat und mit wem sie geteilt ist; eine aus Loom sehen alle, die sich anmelden dürfen. Wer diesen Rechner verwaltet, kann die Dateien lesen.",
    facts_restart: "Ein Neustart des Servers bewahrt Unterhaltungen, Protokolle, Hochgeladenes und alles, was auf Sie wartet. Eine laufende Runde wird gekennzeichnet und geht weiter, wenn Sie es sagen.",
};
