//! Results of calls in one line. A tool writes its own in English, as the log keeps it; here a step tells it in the language
//! of its reader. What a program or another server printed is told as it is.

use super::Language;

/// What tools write, with `#` for a number and `*` for a name, and what stands for it. The first that fits counts.
const GERMAN: &[(&str, &str)] = &[
    ("moved to *, # file", "verschoben nach *, # Datei"),
    ("moved to *, # files", "verschoben nach *, # Dateien"),
    ("moved to *", "verschoben nach *"),
    ("created", "angelegt"),
    ("replaced", "ersetzt"),
    ("unchanged", "unverändert"),
    ("deleted", "gelöscht"),
    ("empty folder deleted", "leerer Ordner gelöscht"),
    ("link deleted", "Verknüpfung gelöscht"),
    ("too large for a diff", "zu groß für einen Vergleich"),
    ("+# -# lines", "+# -# Zeilen"),
    ("# line", "# Zeile"),
    ("# lines", "# Zeilen"),
    ("lines #-# of #", "Zeilen #-# von #"),
    ("pages #-# of #", "Seiten #-# von #"),
    ("empty", "leer"),
    ("# byte", "# Byte"),
    ("# bytes", "# Byte"),
    ("# file", "# Datei"),
    ("# files", "# Dateien"),
    ("# folder", "# Ordner"),
    ("# folders", "# Ordner"),
    ("no files match", "keine Datei passt"),
    ("# file matches", "# Datei passt"),
    ("# files match", "# Dateien passen"),
    ("no matches", "keine Treffer"),
    ("# match in # file", "# Treffer in # Datei"),
    ("# matches in # file", "# Treffer in # Datei"),
    ("# matches in # files", "# Treffer in # Dateien"),
    ("# passage", "# Stelle"),
    ("# passages", "# Stellen"),
    ("# of # step done", "# von # Schritt erledigt"),
    ("# of # steps done", "# von # Schritten erledigt"),
    ("no output", "keine Ausgabe"),
    ("exit code #", "Exitcode #"),
    ("killed by signal #", "durch Signal # beendet"),
    ("ended after # s", "nach # s beendet"),
    ("stopped", "angehalten"),
    ("not run", "nicht ausgeführt"),
    ("not allowed in this mode", "in diesem Modus nicht erlaubt"),
];

/// The summary in a language; its parts are told one by one, those that are not known as they are.
pub fn summary(language: Language, written: &str) -> String {
    let known = match language {
        Language::English => return written.to_owned(),
        Language::German => GERMAN,
    };
    let told = |part: &str| known.iter().find_map(|(pattern, words)| Some(place(words, &values(pattern, part)?)));
    told(written).unwrap_or_else(|| {
        written.split(", ").map(|part| told(part).unwrap_or_else(|| part.to_owned())).collect::<Vec<_>>().join(", ")
    })
}

const PLACES: [char; 2] = ['#', '*'];

/// What stands in the pattern's places; `None` where the text is another.
fn values<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let Some(at) = pattern.find(PLACES) else { return (pattern == text).then(Vec::new) };
    let (kind, rest) = (&pattern[at..=at], &pattern[at + 1..]);
    let text = text.strip_prefix(&pattern[..at])?;
    let ends: Vec<usize> = match kind {
        "#" => vec![text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len())],
        // A name goes as far as it can.
        _ => (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end)).collect(),
    };
    // A comma behind a number is no part of it.
    let ends = ends.into_iter().map(|end| if kind == "#" { text[..end].trim_end_matches(',').len() } else { end });
    ends.filter(|end| *end > 0).find_map(|end| {
        let mut found = vec![&text[..end]];
        found.extend(values(rest, &text[end..])?);
        Some(found)
    })
}

/// The words with the values in their places; thousands are set apart by a narrow blank.
fn place(words: &str, values: &[&str]) -> String {
    let (mut told, mut values) = (String::new(), values.iter());
    for c in words.chars() {
        match c {
            '#' => told.push_str(&values.next().copied().unwrap_or_default().replace(',', "\u{202F}")),
            '*' => told.push_str(values.next().copied().unwrap_or_default()),
            c => told.push(c),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_told_in_the_readers_language() {
        for (written, told) in [
            ("1 line", "1 Zeile"),
            ("3,812 lines", "3\u{202F}812 Zeilen"),
            ("lines 1-2,000 of 3,812", "Zeilen 1-2\u{202F}000 von 3\u{202F}812"),
            ("created, 2 lines, 8 bytes", "angelegt, 2 Zeilen, 8 Byte"),
            ("replaced, +1 -1 lines", "ersetzt, +1 -1 Zeilen"),
            ("3 folders, 6 files", "3 Ordner, 6 Dateien"),
            ("moved to a, 2 files.txt", "verschoben nach a, 2 files.txt"),
            ("moved to archive/docs, 1 file", "verschoben nach archive/docs, 1 Datei"),
            ("5 matches in 2 files", "5 Treffer in 2 Dateien"),
            ("2 lines, windows-1252", "2 Zeilen, windows-1252"),
            ("exit code 2", "Exitcode 2"),
        ] {
            assert_eq!(summary(Language::German, written), told);
            assert_eq!(summary(Language::English, written), written);
        }
        for other in ["", "lines", "Total: 3", "12 apples", "exit code none", "createdx"] {
            assert_eq!(summary(Language::German, other), other);
        }
    }

    #[test]
    fn both_sides_have_the_same_places() {
        let places = |text: &str| text.chars().filter(|c| PLACES.contains(c)).collect::<String>();
        for (pattern, words) in GERMAN {
            assert_eq!(places(pattern), places(words), "{pattern}");
        }
    }
}
