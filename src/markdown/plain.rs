//! Text that is shown as it is, in pieces, so that a very long one never has to be sent or rendered whole again.

use super::{sanitise, writer};

/// Size of one piece: small enough to send again with every growth, large enough that a long text has few.
const PIECE_BYTES: usize = 8 * 1024;

/// Where the first piece of `text` ends; none while it may still grow. Ends after a line where it can.
pub(super) fn first_piece_end(text: &str) -> Option<usize> {
    if text.len() <= PIECE_BYTES {
        return None;
    }
    let piece = &text[..text.floor_char_boundary(PIECE_BYTES)];
    Some(piece.rfind('\n').map_or(piece.len(), |line_end| line_end + 1))
}

/// All pieces of a text that grows no more.
pub(super) fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = first_piece_end(text).unwrap_or(text.len());
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// One piece as a block.
pub(super) fn html(piece: &str) -> String {
    // The inner element matters: HTML parsers drop a line feed that directly follows `<pre>`.
    sanitise::clean(&format!("<pre class=\"plain\"><code>{}</code></pre>", writer::escaped(piece)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_after_lines_and_lose_nothing() {
        let text = "line with é\n".repeat(2_000);
        let parts: Vec<&str> = pieces(&text).collect();
        assert_eq!(parts.concat(), text);
        assert!(parts.len() > 2 && parts.iter().all(|part| part.ends_with('\n') && part.len() <= PIECE_BYTES));
    }

    #[test]
    fn one_endless_line_is_cut_between_characters() {
        let text = "é€😀".repeat(3_000);
        assert_eq!(pieces(&text).collect::<String>(), text);
    }

    #[test]
    fn markup_in_a_piece_is_text() {
        assert_eq!(html("\n<b>&"), "<pre class=\"plain\"><code>\n&lt;b&gt;&amp;</code></pre>");
    }
}
