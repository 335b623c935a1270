//! Characters that a person can't see, or that make text look like other text: shown by their number.

use std::fmt::Write;

/// `text` for a place where a hidden character may deceive: tool arguments, approvals. Line feeds and tabs stay.
/// An escape sequence for terminals loses its escape character and so its power.
pub fn visible(text: &str) -> String {
    with_labels(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

/// `text` as [`visible`] gives it, for a place of one line: names, log rows. Line feeds and tabs are shown by number too.
pub fn visible_line(text: &str) -> String {
    with_labels(text, is_hidden)
}

/// `⟨U+202E⟩`.
pub(super) fn label(c: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(c))
}

/// Whether prose shows `c` by its number. Joiners and variation selectors stay where scripts and emoji need them:
/// right after the character that they join or vary.
pub(super) fn is_hidden_in_prose(c: char, previous: Option<char>) -> bool {
    match c {
        '\n' | '\t' => false,
        // Letters and blanks of scripts, and marks of direction that turn no text around.
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{2800}' => false,
        '\u{200C}' | '\u{200D}' => !previous.is_some_and(joins),
        '\u{FE00}'..='\u{FE0F}' => !previous.is_some_and(|before| !before.is_whitespace() && !is_hidden(before)),
        '\u{E0100}'..='\u{E01EF}' => !previous.is_some_and(is_ideograph),
        _ => is_hidden(c),
    }
}

fn joins(before: char) -> bool {
    let is_selector = ('\u{FE00}'..='\u{FE0F}').contains(&before);
    is_selector || (!before.is_ascii() && !before.is_whitespace() && !is_hidden(before))
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_hidden(c: char) -> bool {
    let is_format = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}');
    is_format || c.is_control()
}

fn with_labels(text: &str, is_labelled: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing to a string can't fail.
        let _ = if is_labelled(c) { shown.write_str(&label(c)) } else { shown.write_char(c) };
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_runs_backwards_shows_why() {
        assert_eq!(visible_line("invoice\u{202E}fdp.exe"), "invoice⟨U+202E⟩fdp.exe");
        assert_eq!(visible_line("a\nb\tc\rd"), "a⟨U+000A⟩b⟨U+0009⟩c⟨U+000D⟩d");
    }

    #[test]
    fn every_kind_of_hidden_character_is_shown() {
        let hidden = "\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}\u{200B}\u{200C}\u{200D}\u{200E}\
            \u{FEFF}\u{2060}\u{AD}\u{E0041}\u{E007F}\u{FE0F}\u{E0100}\0\u{7F}\u{80}\u{9B}\u{2028}";
        let shown = visible(hidden);
        assert_eq!(shown.matches("⟨U+").count(), hidden.chars().count());
        assert!(shown.chars().all(|c| !is_hidden(c)));
    }

    #[test]
    fn an_escape_sequence_is_text() {
        assert_eq!(visible("\u{1B}[31mred\u{1B}[0m\n\tx\u{9B}2J"), "⟨U+001B⟩[31mred⟨U+001B⟩[0m\n\tx⟨U+009B⟩2J");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        let text = "Grüße, мир, 世界, עולם, नमस्ते 😀\n";
        assert_eq!(visible(text), text);
    }

    #[test]
    fn prose_keeps_what_emoji_and_scripts_need() {
        for text in [
            "👩\u{200D}👩\u{200D}👧",
            "❤\u{FE0F}\u{200D}🔥",
            "1\u{FE0F}\u{20E3}",
            "می\u{200C}خواهم",
            "葛\u{E0100}",
            "a\u{AD}b",
        ] {
            let mut previous = None;
            for c in text.chars() {
                assert!(!is_hidden_in_prose(c, previous), "{text:?} {c:?}");
                previous = Some(c);
            }
        }
    }

    #[test]
    fn prose_shows_joiners_and_selectors_that_carry_hidden_data() {
        assert!(is_hidden_in_prose('\u{200D}', Some('a')) && is_hidden_in_prose('\u{200C}', None));
        assert!(is_hidden_in_prose('\u{FE01}', Some('\u{FE00}')) && is_hidden_in_prose('\u{E0101}', Some('😀')));
        assert!(is_hidden_in_prose('\u{E0041}', Some('🏴')) && is_hidden_in_prose('\u{202E}', Some('a')));
    }
}
