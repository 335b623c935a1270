//! How much there is at this moment, of everything and of one person's.

use rusqlite::Connection;

use super::sessions;
use crate::agent::ports::store::{Census, StoreResult};

pub(super) fn take(connection: &Connection) -> StoreResult<Census> {
    let sql = format!("SELECT COUNT(*), COUNT(w.running_turn) FROM {}", sessions::PRESENT);
    let (sessions, running): (i64, i64) =
        connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "SELECT COALESCE(SUM(length), 0), COALESCE(MAX(length), 0) FROM
                   (SELECT COUNT(*) AS length FROM cowork_web_messages WHERE waiting_text IS NOT NULL GROUP BY session_id)";
    let (waiting, longest): (i64, i64) =
        connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let [sessions, running, waiting, longest_queue] = [sessions, running, waiting, longest].map(|count| count as u64);
    Ok(Census { sessions, running, waiting, longest_queue })
}

pub(super) fn sessions_of(connection: &Connection, name: &str) -> StoreResult<u64> {
    let sql = format!("SELECT COUNT(*) FROM {} AND w.owner = ?1", sessions::PRESENT);
    let count: i64 = connection.prepare_cached(&sql)?.query_row([name], |row| row.get(0))?;
    Ok(count as u64)
}
