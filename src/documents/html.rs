//! A page of the web as text. Its tags may nest without end, and what lays out the text then takes without end.

/// Characters in one line; words are wrapped there.
const WIDTH: usize = 120;

pub fn text(bytes: &[u8]) -> Result<String, String> {
    let config = html2text::config::plain_no_decorate().link_footnotes(true).no_table_borders().allow_width_overflow();
    let text = config.string_from_read(bytes, WIDTH).map_err(|error| error.to_string())?;
    Ok(tidy(&text))
}

/// No blanks at the ends of lines and no more than one empty line in a row.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    lines.join("\n").trim_matches('\n').to_owned()
}
