-- Who sent the message that a session works on is asked with every model call; without this each of them read the messages
-- of all sessions.
CREATE INDEX cowork_web_messages_started ON cowork_web_messages(session_id, turn_number) WHERE turn_number IS NOT NULL;
