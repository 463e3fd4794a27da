-- RaspiSMS's "call": who rang, and until when. An end that nobody saw (smsd was killed) stays open.
CREATE TABLE called (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    uid TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    origin TEXT NOT NULL,                    -- empty: withheld
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);

ALTER TABLE event ADD COLUMN called_id INTEGER REFERENCES called (id); -- kind: call, call ended
