-- Results are searched by their words, no longer by the JSON around them. Filled again when somebody asks.
INSERT INTO cowork_web_recall (cowork_web_recall) VALUES ('delete-all');
UPDATE cowork_web_sessions SET recall_through = 0;
