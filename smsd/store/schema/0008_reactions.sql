-- 1: it named a command that was run; a password in it is masked.
ALTER TABLE received ADD COLUMN command INTEGER NOT NULL DEFAULT 0;

-- Messages that smsd wrote by itself in answer to one that came in.
CREATE TABLE answer (
    message_id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    received_id INTEGER REFERENCES received (id) ON DELETE SET NULL,
    rule TEXT NOT NULL,                      -- stop | start | autoreply NAME | command NAME
    number TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX answer_to ON answer (number, at);
CREATE INDEX answer_of ON answer (received_id) WHERE received_id IS NOT NULL;

-- What a message that came in ordered, once. begun and not ended: smsd was stopped in the middle.
CREATE TABLE command_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_id INTEGER NOT NULL UNIQUE REFERENCES received (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    arguments TEXT NOT NULL,                 -- what followed the name, as it was written
    state TEXT NOT NULL,                     -- waiting | begun | done | failed | interrupted
    status INTEGER,                          -- of its end; negative: the signal that ended it
    words TEXT,
    created_at INTEGER NOT NULL,
    begun_at INTEGER,
    ended_at INTEGER
);
CREATE INDEX command_open ON command_run (state) WHERE state IN ('waiting', 'begun');

-- Who is told of events over HTTP: each reads the table event in its order, from its own place on.
CREATE TABLE webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,                        -- in the configuration's file; none: made by the API
    account_id INTEGER,                      -- of whose messages it is told; none: everybody's
    url TEXT NOT NULL,
    events TEXT NOT NULL,                    -- a JSON list of types
    form TEXT NOT NULL,                      -- smsd | raspisms
    secret TEXT,                             -- none: the file has it, or the account's API key is it
    allow_http INTEGER NOT NULL,
    place INTEGER NOT NULL,                  -- the last event that needs no more telling
    enabled INTEGER NOT NULL DEFAULT 1,
    failures INTEGER NOT NULL DEFAULT 0,     -- in a row
    failing_since INTEGER,
    fault TEXT,                              -- the newest
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);

-- Events that a receiver did not take in all the time that it had.
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL REFERENCES event (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    fault TEXT NOT NULL,
    again INTEGER NOT NULL DEFAULT 0,        -- 1: somebody wants it told once more
    UNIQUE (webhook_id, event_id)
);
CREATE INDEX dead_letter_of ON dead_letter (event_id);
CREATE INDEX event_of_call ON event (called_id) WHERE called_id IS NOT NULL;

-- Places in the events hold only while no id comes twice: of the newest event its id stays.
CREATE TRIGGER event_id_stays AFTER DELETE ON event WHEN old.id > (SELECT coalesce(max(id), 0) FROM event)
BEGIN
    INSERT INTO event (id, at, kind) VALUES (old.id, old.at, 'erased');
END;

-- Who is erased from the messages is erased here.
CREATE TRIGGER answer_is_erased AFTER UPDATE OF destination ON message
BEGIN
    UPDATE answer SET number = new.destination WHERE message_id = new.id;
END;
