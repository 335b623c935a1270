//! What is said of a change or a command: the fact, and no more than the tools' results show.

use super::prose::{code, fence, figure, plural};

/// Longest output of a command in an answer, in characters; the call's own card has all of it.
const OUTPUT_CHARS: usize = 4_000;

const UNDO: &str = "It can be taken back in the changes of this turn.";

pub fn created(path: &str, text: &str) -> String {
    if text.is_empty() {
        return format!("I made the empty file {}. {UNDO}", code(path));
    }
    format!("I made {} with this text. {UNDO}\n\n{}", code(path), fence("", text))
}

pub fn appended(path: &str, text: &str) -> String {
    format!("I added this at the end of {}. {UNDO}\n\n{}", code(path), fence("", text))
}

pub fn moved(from: &str, to: &str) -> String {
    format!("{} is now {}. {UNDO}", code(from), code(to))
}

pub fn deleted(path: &str) -> String {
    format!("I deleted {}. {UNDO}", code(path))
}

pub fn replaced(old: &str, new: &str, path: &str, times: usize) -> String {
    format!("I replaced {} by {} in {}, {}. {UNDO}", code(old), code(new), code(path), plural(times, "time"))
}

pub fn ran(command: &str, success: bool, output: &str) -> String {
    let fact = if success { "ran" } else { "failed" };
    let shown: String = output.chars().take(OUTPUT_CHARS).collect();
    let left = output.chars().count() - shown.chars().count();
    let more =
        if left > 0 { format!("\n\n{} more characters stand in the call above.", figure(left)) } else { String::new() };
    format!("{} {fact}.\n\n{}{more}", code(command), fence("", shown.trim_end()))
}

pub fn planned(steps: &[String]) -> String {
    format!(
        "The plan is kept: {}. I don't work through it by myself; tell me what to do first.",
        plural(steps.len(), "step")
    )
}

pub fn rest_not_done(left: usize) -> String {
    format!("So I stopped there, and {} of your request was not done.", plural(left, "part"))
}

pub fn denied() -> String {
    "You said no to this, so it was not done and nothing was changed.".into()
}

pub fn left_as_it_is() -> String {
    "I left everything as it is.".into()
}

pub fn none_of_them(said: &str) -> String {
    format!("{} is not one of the files that I asked about, so I left everything as it is. Name the file.", code(said))
}

pub fn same_place(path: &str) -> String {
    format!("{} has this name and place already; nothing was changed.", code(path))
}

pub fn exists(path: &str) -> String {
    format!(
        "{} is there already, and I replace nothing. Choose another name, or add to it: *add \"text\" to {path}*.",
        code(path)
    )
}

pub fn no_text(old: &str, path: &str) -> String {
    format!("I found no {} in {}; capitals and small letters count here. Nothing was changed.", code(old), code(path))
}

pub fn no_end(path: &str) -> String {
    format!(
        "The last lines of {} stand in it more than once, so I can't be sure to add at its end. Nothing was changed.",
        code(path)
    )
}
