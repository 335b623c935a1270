-- Version 1: the event log, and what Loom's tables have no place for.

CREATE TABLE cowork_events (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    seq INTEGER NOT NULL,             -- from 1, no gap
    event_type TEXT NOT NULL,
    payload TEXT NOT NULL,            -- JSON, without the text of messages
    created_at TEXT NOT NULL,         -- RFC 3339, UTC, milliseconds
    actor TEXT NOT NULL,              -- JSON {kind, name}
    turn INTEGER                      -- the payload's turn, where it has one
);
CREATE UNIQUE INDEX cowork_events_session_seq ON cowork_events(session_id, seq);
CREATE INDEX cowork_events_session_created ON cowork_events(session_id, created_at);
CREATE INDEX cowork_events_type ON cowork_events(event_type);
CREATE INDEX cowork_events_session_turn ON cowork_events(session_id, turn, seq) WHERE turn IS NOT NULL;

-- A session of Loom's has no row here until something of ours is written to it.
CREATE TABLE cowork_web_sessions (
    session_id TEXT PRIMARY KEY,
    mode TEXT NOT NULL DEFAULT 'ask',
    archived INTEGER NOT NULL DEFAULT 0,
    deleted_at TEXT,                  -- RFC 3339, UTC, milliseconds
    running_turn INTEGER,
    queue_held INTEGER NOT NULL DEFAULT 0,
    -- The turn row up to which call ids stand in cowork_web_call_ids.
    call_ids_through INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE cowork_web_messages (
    id INTEGER PRIMARY KEY,           -- order of arrival, which is the order of the queue
    message_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    client_id TEXT,
    text_hash TEXT NOT NULL,          -- SHA-256, hex, of the text as it was accepted
    accepted_turn INTEGER,            -- the turn of the first answer; NULL where the answer was "queued"
    turn_number INTEGER,              -- its turn row, once its turn has started
    waiting_text TEXT,                -- NULL once it has started or was removed
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX cowork_web_messages_client ON cowork_web_messages(session_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX cowork_web_messages_queue ON cowork_web_messages(session_id, id) WHERE waiting_text IS NOT NULL;

-- Pieces of the assistant message that is being written.
CREATE TABLE cowork_web_partials (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    turn INTEGER NOT NULL,
    message INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE UNIQUE INDEX cowork_web_partials_place ON cowork_web_partials(session_id, turn, message, byte_offset);

-- Call ids of earlier turns, so that a new one can be checked without reading the conversation.
CREATE TABLE cowork_web_call_ids (
    session_id TEXT NOT NULL,
    tool_call_id TEXT NOT NULL,
    PRIMARY KEY (session_id, tool_call_id)
) WITHOUT ROWID;
