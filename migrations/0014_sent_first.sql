-- Where a waiting message was put by a person, or by a word into a turn that came too late: the larger, the sooner it is sent.
ALTER TABLE cowork_web_messages ADD COLUMN put_first INTEGER NOT NULL DEFAULT 0;
