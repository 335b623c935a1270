//! A copy of the database, taken while programs write to it, and proven to be whole.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, backup::Backup};

const PAUSE: Duration = Duration::from_millis(50);

/// What a database holds that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub sessions: i64,
    pub turns: i64,
    pub events: i64,
}

/// Why there is no copy, or what is wrong with a database. Whatever was written of a copy is removed by the caller.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("SQLite says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it is not whole ({0}); check the disk, and bring an older backup back")]
    NotWhole(String),
}

/// Copies the database page by page in one read transaction: it is as it was at one moment, and writers go on.
pub fn back_up(database: &Path, to: &Path) -> Result<BackupReport, BackupError> {
    let from = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(to)?;
    // All pages in one step. What is locked for a moment by another program is tried again.
    Backup::new(&from, &mut copy)?.run_to_completion(i32::MAX, PAUSE, None)?;
    // One file: nothing of it is left in a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    check(&copy)
}

/// The same look at a database that stays where it is.
pub fn look(database: &Path) -> Result<BackupReport, BackupError> {
    check(&Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// SQLite's own check, then ours: no session has a gap in its log.
fn check(copy: &Connection) -> Result<BackupReport, BackupError> {
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(BackupError::NotWhole(verdict));
    }
    let gaps: i64 = copy.query_row(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cowork_events GROUP BY session_id HAVING MAX(seq) - MIN(seq) + 1 <> COUNT(*))",
        [],
        |row| row.get(0),
    )?;
    if gaps > 0 {
        return Err(BackupError::NotWhole(format!("{gaps} sessions have gaps in their log")));
    }
    let count = |table: &str| copy.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0));
    Ok(BackupReport {
        sessions: count("cowork_sessions")?,
        turns: count("conversation_turns")?,
        events: count("cowork_events")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::ports::store::Store,
        protocol::Actor,
        store::testing::{Scene, session_id},
    };

    #[tokio::test]
    async fn a_copy_made_while_somebody_writes_is_whole_and_can_be_worked_with() {
        let scene = Scene::new();
        let id = scene.create('a', "Before").await;
        let (database, to) = (scene.path.clone(), scene.folder.path().join("copy.db"));
        let copying = tokio::task::spawn_blocking(move || back_up(&database, &to));
        for number in 0..200 {
            let update = crate::protocol::UpdateSession { title: Some(format!("Now {number}")), ..Default::default() };
            scene.store.update_session(&Actor::local(), &id, update).await.unwrap();
        }
        let report = copying.await.unwrap().unwrap();
        assert!(report.sessions == 1 && report.events >= 1, "{report:?}");
        assert_eq!(look(&scene.path).unwrap().events, 201);
        let copy = Connection::open(scene.folder.path().join("copy.db")).unwrap();
        let known: String = copy.query_row("SELECT id FROM cowork_sessions", [], |row| row.get(0)).unwrap();
        assert_eq!(known, session_id('a').as_str());
        let schema = |connection: &Connection| -> Vec<String> {
            let mut rows =
                connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
            rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        assert_eq!(schema(&copy), schema(&scene.sql()));
    }

    #[tokio::test]
    async fn a_copy_with_a_gap_or_of_something_else_is_refused() {
        let scene = Scene::new();
        let id = scene.create('a', "Mine").await;
        scene.start(&id, "Hello").await;
        let to = scene.folder.path().join("copy.db");
        scene.sql().execute("DELETE FROM cowork_events WHERE seq = 2", []).unwrap();
        assert!(matches!(back_up(&scene.path, &to), Err(BackupError::NotWhole(why)) if why.contains("gaps")));
        let text = scene.folder.path().join("notes.txt");
        std::fs::write(&text, "no database at all ".repeat(100)).unwrap();
        assert!(back_up(&text, &scene.folder.path().join("other.db")).is_err());
        assert!(back_up(&scene.folder.path().join("nothing.db"), &to).is_err());
    }
}
