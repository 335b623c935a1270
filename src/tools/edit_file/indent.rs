//! The indentation of new lines, where the old ones stood with another one than the model wrote.

use std::collections::BTreeMap;

/// Spaces for a tab, where nothing in the edit tells.
const USUAL_WIDTH: usize = 4;

/// Indents `new` as the file does. `pairs`: lines as the model wrote them, each with the file's own.
pub fn reindent(new: &str, pairs: &[(&str, &str)]) -> String {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (written, there) in pairs {
        known.entry(indent(written)).or_insert(indent(there));
    }
    if known.iter().all(|(written, there)| written == there) {
        return new.to_owned();
    }
    let width = width(&known);
    let line = |line: &str| {
        let (own, rest) = line.split_at(indent(line).len());
        if rest.trim().is_empty() { line.to_owned() } else { format!("{}{rest}", translated(own, &known, width)) }
    };
    new.split_inclusive('\n').map(line).collect()
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Spaces that stand for one tab in these lines: by how much deeper one is than the least deep, on both sides; where
/// all are equally deep, by their depth itself.
fn width(known: &BTreeMap<&str, &str>) -> usize {
    let tabs = |text: &str| text.bytes().filter(|byte| *byte == b'\t').count();
    let spaces = |text: &str| text.len() - tabs(text);
    let Some((first, there)) = known.iter().next() else { return USUAL_WIDTH };
    let deeper = known.iter().skip(1).map(|(a, b)| {
        let more = |count: &dyn Fn(&str) -> usize, text: &str, least: &str| count(text).saturating_sub(count(least));
        (more(&spaces, a, first), more(&tabs, a, first), more(&spaces, b, there), more(&tabs, b, there))
    });
    let itself = (spaces(first), tabs(first), spaces(there), tabs(there));
    deeper
        .chain([itself])
        .find_map(|depths| match depths {
            (spaces, 0, 0, tabs) | (0, tabs, spaces, 0) if tabs > 0 && spaces > 0 => Some((spaces / tabs).max(1)),
            _ => None,
        })
        .unwrap_or(USUAL_WIDTH)
}

fn translated(own: &str, known: &BTreeMap<&str, &str>, width: usize) -> String {
    if let Some(there) = known.get(own) {
        return (*there).to_owned();
    }
    // Deeper than a line that is known: its indentation and what is left, in the file's way.
    if let Some((base, there)) = known.iter().rev().find(|(base, _)| own.starts_with(**base)) {
        return format!("{there}{}", in_the_way_of(&own[base.len()..], known, width));
    }
    // Less deep: as much less as the model wrote.
    if let Some((base, there)) = known.iter().find(|(base, _)| base.starts_with(own)) {
        let less = in_the_way_of(&base[own.len()..], known, width);
        return there.strip_suffix(less.as_str()).unwrap_or_default().to_owned();
    }
    own.to_owned()
}

fn in_the_way_of(more: &str, known: &BTreeMap<&str, &str>, width: usize) -> String {
    let with_tabs = known.values().any(|there| there.contains('\t'));
    let with_spaces = known.values().any(|there| there.contains(' '));
    if with_tabs && !with_spaces && more.bytes().all(|byte| byte == b' ') {
        return "\t".repeat(more.len() / width);
    }
    if with_spaces && !with_tabs && more.bytes().all(|byte| byte == b'\t') {
        return " ".repeat(more.len() * width);
    }
    more.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_take_the_indentation_of_the_file() {
        for (new, pairs, expected) in [
            // Written without the indentation of the place.
            (
                "if a {\n    b();\n}",
                vec![("if x {", "    if x {"), ("    y();", "        y();")],
                "    if a {\n        b();\n    }",
            ),
            ("a\n    b\n", vec![("x", "  x")], "  a\n      b\n"),
            // Spaces for tabs, and the other way round.
            ("  a\n    b\n      c", vec![("  x", "\tx"), ("    y", "\t\ty")], "\ta\n\t\tb\n\t\t\tc"),
            ("\ta\n\t\tb", vec![("\tx", "    x")], "    a\n        b"),
            // Written too deep, with a line less deep than all that is known.
            ("        a\n    b", vec![("        x", "    x")], "    a\nb"),
            // The same: nothing is touched, empty lines neither.
            ("  a\n \n\n b", vec![("  x", "  x")], "  a\n \n\n b"),
            ("a\n\n  \nb", vec![("x", "  x")], "  a\n\n  \n  b"),
        ] {
            assert_eq!(reindent(new, &pairs), expected, "{new:?} {pairs:?}");
        }
    }
}
