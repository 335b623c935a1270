-- The two tables that we share with Loom, for a file that Loom has not made: the same columns, types, defaults and
-- indexes as Loom 0.3 creates. Never run on a file that has them.

CREATE TABLE cowork_sessions (
    id TEXT PRIMARY KEY,
    workspace_path TEXT NOT NULL,
    model_name TEXT NOT NULL,
    system_prompt TEXT,
    started_at TEXT NOT NULL DEFAULT (datetime('now')),
    last_active_at TEXT NOT NULL DEFAULT (datetime('now')),
    total_tokens INTEGER DEFAULT 0,
    turn_count INTEGER DEFAULT 0,
    session_state TEXT,
    session_state_through_turn INTEGER NOT NULL DEFAULT 0,
    chat_journal_through_turn INTEGER NOT NULL DEFAULT 0,
    chat_journal_through_seq INTEGER NOT NULL DEFAULT 0,
    is_active INTEGER DEFAULT 1
);

CREATE TABLE conversation_turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    turn_number INTEGER NOT NULL,
    role TEXT NOT NULL,
    content TEXT,
    metadata TEXT,
    tool_calls TEXT,
    tool_call_id TEXT,
    tool_name TEXT,
    token_count INTEGER DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    FOREIGN KEY (session_id) REFERENCES cowork_sessions(id)
);

CREATE INDEX idx_ct_session ON conversation_turns(session_id);
CREATE INDEX idx_ct_session_turn ON conversation_turns(session_id, turn_number);
CREATE INDEX idx_ct_role ON conversation_turns(session_id, role);
CREATE INDEX idx_ct_tool_name ON conversation_turns(tool_name);
