//! The start: what this is, the first checks, a new session.

use super::Plural;

pub struct HomeWords {
    pub lead: &'static str,
    pub choose_folder: &'static str,
    pub up: &'static str,
    pub no_folders: &'static str,
    pub title_hint: &'static str,
    pub model: &'static str,
    pub start: &'static str,
    pub back_to_folders: &'static str,
    pub built_in_note: &'static str,
    pub waiting: &'static str,
    pub checks: &'static str,
    pub pass: &'static str,
    pub fail: &'static str,
    pub facts: &'static str,
    pub sessions_waiting: Plural,
}

pub const ENGLISH: HomeWords = HomeWords {
    lead: "A session works on one folder of this computer. The agent can look at everything in it, and at nothing outside.",
    choose_folder: "Choose a folder",
    up: "Up",
    no_folders: "No folders inside.",
    title_hint: "Optional; the first message otherwise",
    model: "Model",
    start: "Start in this folder",
    back_to_folders: "Back to the folders you can choose",
    built_in_note: "No language model is configured, so the built-in one answers: it lists, finds, searches, reads, counts and \
                    compares files. A [models.…] section in loom.toml brings a real one.",
    waiting: "Waiting for you",
    checks: "Is everything ready?",
    pass: "in order",
    fail: "needs attention",
    facts: "Where your data lives",
    sessions_waiting: Plural { one: "1 waits", many: "{0} wait" },
};

pub const GERMAN: HomeWords = HomeWords {
    lead: "Eine Sitzung arbeitet an einem Ordner dieses Rechners. Der Agent sieht alles darin und nichts außerhalb.",
    choose_folder: "Ordner wählen",
    up: "Hinauf",
    no_folders: "Keine Ordner darin.",
    title_hint: "Nicht nötig; sonst die erste Nachricht",
    model: "Modell",
    start: "In diesem Ordner beginnen",
    back_to_folders: "Zurück zu den wählbaren Ordnern",
    built_in_note: "Es ist kein Sprachmodell eingerichtet, daher antwortet das eingebaute: Es listet, findet, durchsucht, liest, \
                    zählt und vergleicht Dateien. Ein Abschnitt [models.…] in loom.toml bringt ein richtiges.",
    waiting: "Wartet auf Sie",
    checks: "Ist alles bereit?",
    pass: "in Ordnung",
    fail: "braucht Aufmerksamkeit",
    facts: "Wo Ihre Daten liegen",
    sessions_waiting: Plural { one: "1 wartet", many: "{0} warten" },
};
