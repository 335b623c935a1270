-- Version 3: uploads that are not over, which of them the model was told of, and files that a message names.

CREATE TABLE cowork_web_uploads (
    upload_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    target_dir TEXT NOT NULL,
    on_conflict TEXT NOT NULL,        -- fail, replace, keep_both, skip
    actor TEXT NOT NULL,              -- JSON {kind, name}
    created_at TEXT NOT NULL,         -- RFC 3339, UTC, milliseconds
    -- Of a resumable upload alone; others end with their request.
    name TEXT,
    length INTEGER,
    received INTEGER NOT NULL DEFAULT 0,
    expires_at TEXT,
    result TEXT                       -- JSON, once it is over
) WITHOUT ROWID;
CREATE INDEX cowork_web_uploads_session ON cowork_web_uploads(session_id);

ALTER TABLE cowork_web_sessions ADD COLUMN uploads_told_through INTEGER NOT NULL DEFAULT 0; -- a seq
ALTER TABLE cowork_web_messages ADD COLUMN attachments TEXT; -- JSON {files, directories}
