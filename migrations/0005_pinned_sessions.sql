ALTER TABLE cowork_web_sessions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0; -- kept at the top of the list
