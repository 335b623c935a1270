//! `cowork logs` and `cowork verify`: what the log says, read from the file beside a server or without one.

use std::{io::Write, path::Path};

use anyhow::{Context, bail};

use crate::{
    agent::ports::store::StoreError,
    protocol::{Event, Seq, SessionId},
    store::{LogFile, Verified},
};

/// Events that are read at once.
const EVENTS_A_READ: u32 = 500;
/// Of a payload, in characters: a line that a terminal shows without a fold or two too many.
const PAYLOAD_CHARS: usize = 160;

/// Which events are printed, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub session: String,
    /// Events behind this one.
    pub after: Seq,
    /// All where it is empty.
    pub types: Vec<String>,
    /// One JSON object a line, as the REST route gives them.
    pub json: bool,
}

/// Prints the log of a session.
pub fn print(database: &Path, wanted: &Wanted, out: &mut impl Write) -> anyhow::Result<()> {
    let id = SessionId::parse(&wanted.session)
        .with_context(|| format!("`{}` is no session id: these have 32 hex digits, in lower case", wanted.session))?;
    let log = LogFile::open(database)?;
    let mut cursor = wanted.after;
    loop {
        let page = match log.events(&id, cursor, EVENTS_A_READ, &wanted.types) {
            Ok(page) => page,
            Err(StoreError::NoSession) => bail!("There is no session {id} in {}", database.display()),
            Err(error) => return Err(error.into()),
        };
        if page.events.is_empty() {
            return Ok(());
        }
        for event in &page.events {
            let line = if wanted.json { serde_json::to_string(event)? } else { line(event)? };
            writeln!(out, "{line}")?;
        }
        cursor = page.next_cursor;
    }
}

fn line(event: &Event) -> anyhow::Result<String> {
    let whole = serde_json::to_value(&event.body)?;
    let payload = whole.get("payload").map(ToString::to_string).unwrap_or_default();
    let mut shown: String = payload.chars().take(PAYLOAD_CHARS).collect();
    if shown.len() < payload.len() {
        shown.push('…');
    }
    let Event { seq, created_at, actor, body } = event;
    Ok(harmless(&format!("{seq:>6}  {created_at}  {:<22} {}  {shown}", body.event_type(), actor.name)))
}

/// What a terminal would obey, or show as something else, is written out.
fn harmless(line: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    line.chars().map(|c| if obeyed(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Checks the chains of all sessions and prints what was found. Whether all of it fits.
pub fn verify(database: &Path, heads: &[String], out: &mut impl Write) -> anyhow::Result<bool> {
    let verified = LogFile::open(database)?.verify(heads)?;
    let Verified { sessions, rows, faults, adopted, missing_heads } = &verified;
    for fault in faults {
        writeln!(out, "{fault}")?;
    }
    for head in missing_heads {
        writeln!(out, "no event has the head {}: the log was cut, or written anew", harmless(head))?;
    }
    for adopted in adopted {
        let (session, through, at) = (&adopted.session, adopted.through, &adopted.at);
        writeln!(
            out,
            "session {session}: events up to {through} stood before the chain and were taken as they were on {at}"
        )?;
    }
    if verified.is_whole() {
        writeln!(out, "All {rows} events of {sessions} sessions fit.")?;
    } else {
        writeln!(out, "{} of {sessions} sessions have events that do not fit.", faults.len())?;
    }
    Ok(verified.is_whole())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        let shown = harmless("a\u{1b}[31mb\u{202e}c\u{200b}\n");
        assert_eq!(shown, "a\\u{1b}[31mb\\u{202e}c\\u{200b}\\u{a}");
    }
}
