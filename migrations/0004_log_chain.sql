-- Version 4: the log is chained by keyed hashes, and old rows may leave it.

-- Over this row and the link of the row before, with a key that is not in this file.
ALTER TABLE cowork_events ADD COLUMN link BLOB;

-- Where each session's chain begins and ends.
CREATE TABLE cowork_web_chains (
    session_id TEXT PRIMARY KEY,
    head_seq INTEGER NOT NULL,
    head BLOB NOT NULL,                         -- keyed hash over head_seq and its link
    adopted_through INTEGER NOT NULL DEFAULT 0, -- rows that stood before the chain, or under another key
    adopted_at TEXT,                            -- RFC 3339, UTC, milliseconds
    removed_through INTEGER NOT NULL DEFAULT 0, -- the seq of the row that stands for removed ones
    marks BLOB                                  -- keyed hash over the three above and over that row
) WITHOUT ROWID;
