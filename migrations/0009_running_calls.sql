-- The model call that a session's turn waits for: what a killed process leaves of it is counted at the next start.
CREATE TABLE cowork_web_running_calls (
    session_id TEXT PRIMARY KEY,
    model_call TEXT NOT NULL          -- the event, as if the call had ended when this was written
) WITHOUT ROWID;
