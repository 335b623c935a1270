-- Version 2: what waits for a person, the rules that spare it, words into a running turn, the plan, and recall.

CREATE TABLE cowork_web_approvals (
    approval_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    turn INTEGER NOT NULL,
    seq INTEGER NOT NULL,             -- of its approval_requested
    tool_call_id TEXT NOT NULL,
    name TEXT NOT NULL,
    args TEXT NOT NULL,               -- JSON, exactly what the tool would be given
    preview TEXT NOT NULL,
    risk TEXT NOT NULL,               -- edit, delete, run, network
    scope TEXT,
    decision TEXT,                    -- approve, approve_always, deny; NULL while it waits
    decided_by TEXT,                  -- JSON {kind, name}
    decided_at TEXT                   -- RFC 3339, UTC, milliseconds
) WITHOUT ROWID;
CREATE UNIQUE INDEX cowork_web_approvals_call ON cowork_web_approvals(session_id, tool_call_id);
CREATE INDEX cowork_web_approvals_open ON cowork_web_approvals(session_id, seq) WHERE decision IS NULL;

CREATE TABLE cowork_web_rules (
    rule_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,              -- '' for every call of the tool
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX cowork_web_rules_meaning ON cowork_web_rules(session_id, tool, scope);

CREATE TABLE cowork_web_questions (
    question_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    turn INTEGER NOT NULL,
    seq INTEGER NOT NULL,             -- of its awaiting_user_input
    tool_call_id TEXT NOT NULL,
    question TEXT NOT NULL,           -- JSON
    answer TEXT,                      -- in words; NULL while it waits
    withdrawn INTEGER NOT NULL DEFAULT 0, -- its turn ended without an answer
    answered_by TEXT,
    answered_at TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX cowork_web_questions_call ON cowork_web_questions(session_id, tool_call_id);
CREATE INDEX cowork_web_questions_open ON cowork_web_questions(session_id, seq) WHERE answer IS NULL AND NOT withdrawn;

-- A word into a running turn; its turn row is written when the model gets it.
CREATE TABLE cowork_web_steering (
    id INTEGER PRIMARY KEY,           -- order of arrival
    steering_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    turn INTEGER NOT NULL,
    text TEXT NOT NULL,
    actor TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX cowork_web_steering_waiting ON cowork_web_steering(session_id, turn, id) WHERE NOT taken;

-- The plan of a session, as the agent last wrote it.
CREATE TABLE cowork_web_tasks (
    session_id TEXT PRIMARY KEY,
    tasks TEXT NOT NULL               -- JSON [{content, status}]
) WITHOUT ROWID;

-- Words of conversation rows, whose text stays where it is. Filled when somebody asks.
CREATE VIRTUAL TABLE cowork_web_recall USING fts5(
    content, content = 'conversation_turns', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
ALTER TABLE cowork_web_sessions ADD COLUMN recall_through INTEGER NOT NULL DEFAULT 0; -- the last row id in it
