//! Markdown that holds whatever a file says: spans and fences longer than any run of backticks inside.

/// A code span. Line ends would break it and are shown as blanks.
pub fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A fenced block.
pub fn fence(language: &str, text: &str) -> String {
    let ticks = "`".repeat((longest_run(text) + 1).max(3));
    format!("{ticks}{language}\n{}\n{ticks}", text.trim_end_matches('\n'))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A numbered list of paths; a person may refer to an entry by its number.
pub fn numbered(paths: &[String]) -> String {
    let rows: Vec<String> = paths.iter().enumerate().map(|(at, path)| format!("{}. {}", at + 1, code(path))).collect();
    rows.join("\n")
}

/// "1 line", "2,000 lines", "3 matches".
pub fn plural(count: usize, noun: &str) -> String {
    let ending = match count {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", figure(count))
}

/// A figure with a comma between thousands.
pub fn figure(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cuts an answer into pieces for streaming: about `size` bytes each, at the end of a word where there is one.
pub fn pieces(text: &str, size: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        piece.push(c);
        let full = piece.len() >= size && c.is_whitespace();
        if full || piece.len() >= size * 2 {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_fences_are_longer_than_what_they_hold() {
        assert_eq!(code("notes.txt"), "`notes.txt`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(fence("", "````\nx"), "`````\n````\nx\n`````");
        assert_eq!(fence("diff", "x"), "```diff\nx\n```");
    }

    #[test]
    fn pieces_are_small_and_make_the_text_again() {
        let text = "One short sentence, äöü, and then quite a few words more.\n\n- list";
        let cut = pieces(text, 24);
        assert_eq!(cut.concat(), text);
        assert!(cut.len() > 2 && cut.iter().all(|piece| piece.len() <= 52));
    }

    #[test]
    fn figures_and_plurals_read_well() {
        assert_eq!(
            [plural(1, "line"), plural(2_000, "line"), plural(3, "match")],
            ["1 line", "2,000 lines", "3 matches"]
        );
    }
}
