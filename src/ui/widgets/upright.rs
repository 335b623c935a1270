//! Text that can't be turned around, and hides nothing.

/// A text for a place of one line, with what turns the direction of writing, or can't be seen and joins nothing, shown by
/// its number: `gpj.exe` must not read as `exe.jpg`. What the server draws goes through `markdown::visible_line`, which shows
/// more.
pub fn upright(text: String) -> String {
    if !text.contains(deceives) {
        return text;
    }
    text.chars().map(|c| if deceives(c) { format!("⟨U+{:04X}⟩", u32::from(c)) } else { c.to_string() }).collect()
}

fn deceives(c: char) -> bool {
    matches!(c,
        '\u{200B}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_shown_and_other_scripts_stay() {
        assert_eq!(upright("\u{202E}gpj.exe".into()), "⟨U+202E⟩gpj.exe");
        assert_eq!(upright("a\u{2067}b\u{2069}".into()), "a⟨U+2067⟩b⟨U+2069⟩");
        assert_eq!(upright("no\u{200B}tes\u{FEFF}\u{E0041}".into()), "no⟨U+200B⟩tes⟨U+FEFF⟩⟨U+E0041⟩");
        for plain in ["", "notes.txt", "שלום", "ملف 1", "名前", "می\u{200C}خواهم", "👩\u{200D}👧"] {
            assert_eq!(upright(plain.into()), plain);
        }
    }
}
