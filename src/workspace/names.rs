//! Which names a file may get here. A name that doesn't fit is refused with its reason; nothing is ever renamed in
//! silence, but for the one form of Unicode (NFC) that all names are kept in.
//!
//! A workspace is shared: by people on other systems, by programs, by eyes. So a name that means something else on
//! another system, or that reads as something else, is no name here. What is only unusual is left alone.

use unicode_normalization::UnicodeNormalization;

use super::{PathError, WorkspacePath, real::PART_PREFIX};

/// The longest name in bytes, of Linux' file systems and of most others.
pub const MAX_NAME_BYTES: usize = 255;

/// Device names of Windows, which reach the device whatever stands behind a dot.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];
const NUMBERED_DEVICES: &[&str] = &["com", "lpt"];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("a name in it is empty or only a dot")]
    Blank,
    #[error("it has the character U+{0:04X} in it, which can't be seen or turns text around")]
    Hidden(u32),
    #[error("`{0}` ends with a dot or a space, which other systems drop")]
    Trailing(String),
    #[error("`{0}` is a device on Windows")]
    Device(String),
    #[error("a name in it is longer than {MAX_NAME_BYTES} bytes")]
    TooLong,
    #[error("`.git` is git's own data, which is changed by git alone")]
    Git,
    #[error("it begins like the files that Cowork is still writing")]
    Reserved,
}

impl NameError {
    /// Whether it would lead out of the workspace, and isn't merely a name that is not wanted.
    pub fn leads_out(&self) -> bool {
        match self {
            Self::Path(error) => !matches!(error, PathError::Empty | PathError::TooLong),
            _ => false,
        }
    }
}

/// In the form that names are kept in.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// The path of a new file, as people's systems send it: `/` between names where folders are sent.
pub fn new_path(text: &str) -> Result<WorkspacePath, NameError> {
    let text = composed(text);
    let path = WorkspacePath::parse(&text)?;
    // Other paths may be written loosely; a name that is shown as it was sent may not.
    if path.as_str() != text || path.is_root() {
        return Err(NameError::Blank);
    }
    path.names().try_for_each(check)?;
    Ok(path)
}

/// The folder that a person names for files to go to. Names that are there already may be of any kind, so they are
/// checked when a folder is made.
pub fn folder(text: &str) -> Result<WorkspacePath, NameError> {
    Ok(WorkspacePath::parse(&composed(text))?)
}

/// Whether a file or folder may be made under this name.
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Blank);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if let Some(hidden) = name.chars().find(|c| is_hidden(*c)) {
        return Err(NameError::Hidden(hidden.into()));
    }
    if name.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(".git") {
        return Err(NameError::Git);
    }
    if name.ends_with(['.', ' ']) {
        return Err(NameError::Trailing(name.into()));
    }
    if is_device(name) {
        return Err(NameError::Device(name.into()));
    }
    if name.starts_with(PART_PREFIX) {
        return Err(NameError::Reserved);
    }
    Ok(())
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_lowercase();
    let numbered = |device: &&str| {
        let rest = stem.strip_prefix(*device);
        rest.is_some_and(|rest| {
            matches!(rest, "¹" | "²" | "³") || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit()
        })
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(numbered)
}

/// Control characters, marks of direction, and what takes no place on the screen. Joiners and variation selectors
/// stay: names in Persian, in Indic scripts and with emoji need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFD}'..='\u{FFFF}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// A name for eyes: what can't be seen is shown by its number, and what is endless is cut.
pub fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len().min(MAX_SHOWN_BYTES));
    for c in name.chars() {
        if shown.len() > MAX_SHOWN_BYTES {
            shown.push('…');
            break;
        }
        match is_hidden(c) {
            true => shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            false => shown.push(c),
        }
    }
    shown
}

/// Of a name in answers and events: a path that could be a file's fits well.
const MAX_SHOWN_BYTES: usize = 1024;

const MAX_ENDING_BYTES: usize = 32;

/// The name with a number, for a file that shall stand beside one of the same name: `a (2).txt`.
pub fn numbered(name: &str, number: u32) -> String {
    // A dot at the beginning begins no ending, and what is long is none.
    let dot = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= MAX_ENDING_BYTES).unwrap_or(name.len());
    let (stem, ending) = name.split_at(dot);
    let number = format!(" ({number})");
    let room = MAX_NAME_BYTES.saturating_sub(number.len() + ending.len());
    let stem = &stem[..stem.floor_char_boundary(room.min(stem.len()))];
    format!("{}{number}{ending}", stem.trim_end_matches([' ', '.']))
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
