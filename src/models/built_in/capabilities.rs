//! What this model says about itself.

use super::intent::Reason;

const CONFIGURE: &str = "connect a language model: add a `[models.<alias>]` section with \
    `provider = \"openai_compatible\"`, `base_url` and `model` to `loom.toml` and restart.";

const ABILITIES: &str = "In this session's folder I can do this:

- list a folder: *what is in the invoices folder?*
- find files by name or kind: *find all csv files*
- search text: *which files mention ACME?*
- read a file, or part of it: *first 10 lines of notes.txt*
- count lines, words, and the rows and columns of a CSV file: *how many rows are in ledger.csv?*
- compare two files: *compare a.txt and b.txt*
- write a note: *add \"call ACME\" to notes.txt*, or *note: call ACME*
- make, rename, move or delete one file: *rename notes.txt to minutes.txt*
- replace text: *replace \"Monday\" with \"Tuesday\" in notes.txt*
- run a command: *run `ls -l`*
- keep a plan: *make a plan: read the policy; ask Miller*

Before anything is changed or run, you are asked.";

pub fn declined(reason: Reason) -> String {
    let fact = match reason {
        Reason::Greeting => {
            return format!(
                "I am the built-in helper: I work with files, but I am not a language model. {ABILITIES}\n\nFor more than that, {CONFIGURE}"
            );
        }
        Reason::Write => "I can't compose or send texts",
        Reason::Change => {
            "I did not understand this as a change that I can make, so nothing was changed: I need one file and, in \
             quotes, the text"
        }
        Reason::Summarise => "I can't summarise: I count and search text, I don't understand it",
        Reason::Translate => "I can't translate",
        Reason::Calculate => "I can't calculate with what the files say",
        Reason::Explain => "I can't explain, judge or plan",
        Reason::ManyFiles => "I read and count one file at a time, and compare two",
        Reason::Criterion => "I find files by name, kind and one text at a time, not by size, date or what they lack",
        Reason::Unclear => "I did not understand this as something that I can do",
    };
    format!("{fact}. I am the built-in helper, not a language model. For that, {CONFIGURE}\n\n{ABILITIES}")
}
