//! What a failure of SQLite means to the person who waits for the answer.

use rusqlite::{Error, ErrorCode};

use crate::agent::ports::store::StoreError;

/// Fact, effect, next step.
pub(super) fn text(error: &Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "The disk with the database is full, so nothing was saved. Free some space and try again.".into()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "Another program keeps the database locked, so nothing was saved. Close it, or try again in a moment.".into()
        }
        Some(ErrorCode::SystemIoFailure) => {
            "The disk with the database reports an error, so nothing was saved. Check the disk, then start Cowork again."
                .into()
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            "The database file is damaged, so this can't be read or saved. Stop Cowork and bring the file back from a backup."
                .into()
        }
        // The writer's word for a change that took its whole group with it.
        Some(ErrorCode::OperationAborted) => {
            "A change of the same moment met a full or failing disk, so nothing was saved. Try again.".into()
        }
        _ => format!("The database reports an error: {error}."),
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::Failed(text(&error))
    }
}

/// JSON in a row that is not what we wrote.
pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Failed(format!("The database holds {what} that can't be read: {error}."))
}
