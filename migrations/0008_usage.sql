-- What each person's messages cost, by days in UTC: limits count on over a restart, and over the log's own retention.
CREATE TABLE cowork_web_usage (
    person TEXT NOT NULL,             -- a name, of a service too
    day TEXT NOT NULL,                -- 2026-03-01
    tokens INTEGER NOT NULL,
    PRIMARY KEY (person, day)
) WITHOUT ROWID;
