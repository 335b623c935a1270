-- Whether a message was a word into a turn that ended before its model got it. Such messages are the next to start.
ALTER TABLE cowork_web_messages ADD COLUMN steered INTEGER NOT NULL DEFAULT 0;
