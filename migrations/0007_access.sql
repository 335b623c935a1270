-- Whose a session is, and with whom it is shared.

-- NULL for sessions of Loom's and those from before there were names: they are everybody's who may sign in.
ALTER TABLE cowork_web_sessions ADD COLUMN owner TEXT;

CREATE TABLE cowork_web_shares (
    session_id TEXT NOT NULL,
    name TEXT NOT NULL,               -- of a person or a service; '*' for everybody
    part TEXT NOT NULL,               -- watch, take_part
    PRIMARY KEY (session_id, name)
) WITHOUT ROWID;
