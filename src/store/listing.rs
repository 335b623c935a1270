//! The list of sessions, and the search in it.

use jiff::tz::TimeZone;
use rusqlite::{Connection, named_params};

use super::{
    sessions::{self, PRESENT, TITLE},
    sharing::VISIBLE,
};
use crate::{
    agent::ports::store::{StoreResult, StoredSession},
    protocol::SessionQuery,
};

/// Sessions that `viewer` may see and that match, newest activity first, and how many there are in all. The search looks at titles and at what
/// people and models wrote; as SQLite's `LIKE` it ignores the case of ASCII letters only.
pub(super) fn page(
    connection: &Connection,
    zone: &TimeZone,
    viewer: Option<&str>,
    query: &SessionQuery,
) -> StoreResult<(Vec<StoredSession>, u64)> {
    let pattern = pattern(&query.q);
    let matching = format!(
        "{PRESENT} AND {VISIBLE} AND COALESCE(w.archived, 0) = :archived
         AND (:pattern IS NULL OR {TITLE} LIKE :pattern ESCAPE '\\' OR EXISTS (
             SELECT 1 FROM conversation_turns t WHERE t.session_id = s.id AND t.role IN ('user', 'assistant')
             AND t.content LIKE :pattern ESCAPE '\\'))"
    );
    let total: i64 = connection
        .prepare_cached(&format!("SELECT COUNT(*) FROM {matching}"))?
        .query_row(named_params! { ":viewer": viewer, ":archived": query.archived, ":pattern": pattern }, |row| {
            row.get(0)
        })?;
    // Loom's default for the column has a blank where its rows have a T.
    let sql = format!(
        "SELECT {} FROM {matching} ORDER BY replace(s.last_active_at, ' ', 'T') DESC, s.rowid DESC
         LIMIT :limit OFFSET :offset",
        sessions::columns()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let named = named_params! {
        ":viewer": viewer, ":archived": query.archived, ":pattern": pattern, ":limit": query.limit, ":offset": query.offset,
    };
    let found = statement.query_map(named, |row| sessions::read(row, zone))?;
    let sessions = found.map(|session| sessions::complete(connection, session?));
    Ok((sessions.collect::<StoreResult<_>>()?, total as u64))
}

/// The `LIKE` pattern for a search text, `None` where there is nothing to search for.
fn pattern(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    Some(format!("%{escaped}%"))
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
