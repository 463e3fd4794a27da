-- Times are milliseconds since 1970, UTC. Nothing is deleted here while anybody may still ask for it.
--
-- Every index is a page more to write for each message that passes it, and a Pi lives on an SD card:
-- what few rows are in is found by a partial index, and what need not be found has none.
-- AUTOINCREMENT (one page more again) is for ids that clients keep and whose rows may be deleted.

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);

-- Written to find out whether the disk takes anything again.
CREATE TABLE pulse (at INTEGER NOT NULL);
INSERT INTO pulse VALUES (0);

CREATE TABLE phone (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    adapter TEXT NOT NULL,
    adapter_data TEXT NOT NULL,
    priority INTEGER NOT NULL,
    present INTEGER NOT NULL DEFAULT 1,      -- 0: no longer configured; kept for its history
    disabled INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);

CREATE TABLE scheduled (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,             -- 0: a local user, known by the socket
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    parts INTEGER NOT NULL,
    flash INTEGER NOT NULL,
    mms INTEGER NOT NULL,
    tag TEXT,
    phone_id INTEGER REFERENCES phone (id),
    validity_seconds INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);
CREATE INDEX scheduled_due ON scheduled (at);

CREATE TABLE scheduled_number (
    id INTEGER PRIMARY KEY,
    scheduled_id INTEGER NOT NULL REFERENCES scheduled (id) ON DELETE CASCADE,
    number TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);
CREATE INDEX scheduled_number_of ON scheduled_number (scheduled_id);

-- One outgoing message to one recipient. The row in scheduled is gone by then; its id is kept.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    scheduled_id INTEGER NOT NULL,
    destination TEXT NOT NULL,
    text TEXT NOT NULL,
    parts INTEGER NOT NULL,
    flash INTEGER NOT NULL,
    mms INTEGER NOT NULL,
    tag TEXT,
    wanted_phone_id INTEGER REFERENCES phone (id),
    priority INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    phone_id INTEGER REFERENCES phone (id),  -- the phone of the newest attempt
    begun_on INTEGER REFERENCES phone (id),  -- the phone whose network took a part of it
    -- Whom it waits for: 0 any phone, n phone n, -n phone n and no other.
    lane INTEGER NOT NULL GENERATED ALWAYS AS (
        CASE WHEN begun_on IS NULL THEN coalesce(wanted_phone_id, 0) ELSE -begun_on END) STORED,
    attempts INTEGER NOT NULL DEFAULT 0,
    fault_class TEXT,
    fault_code TEXT,
    fault_words TEXT,
    fault_hint TEXT
);
CREATE INDEX message_due ON message (lane, priority DESC, due_at, id) WHERE state = 'queued';
CREATE INDEX message_claimed ON message (phone_id) WHERE state = 'claimed';
CREATE INDEX message_uncertain ON message (phone_id) WHERE state = 'uncertain';
CREATE INDEX message_wake ON message (due_at) WHERE state = 'queued' AND due_at > created_at; -- postponed
CREATE INDEX message_expiry ON message (expires_at) WHERE state = 'queued';
CREATE INDEX message_begun ON message (begun_on) WHERE state = 'queued' AND begun_on IS NOT NULL;
CREATE INDEX message_scheduled ON message (scheduled_id);

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message (id),
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    route TEXT NOT NULL,                     -- why this phone, in words
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,                            -- sent | refused | declined | uncertain; none: going on
    fault_class TEXT,
    fault_code TEXT,
    fault_words TEXT,
    fault_hint TEXT
);
CREATE INDEX attempt_of ON attempt (message_id);

-- Written before the part leaves, completed with its reference after. begun and not ended: in doubt.
CREATE TABLE part (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message (id),
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    number INTEGER NOT NULL,                 -- 1 to total; a provider takes a message as one part
    total INTEGER NOT NULL,
    size INTEGER NOT NULL,                   -- how many SMS it counts in the phone's limits; refused: 0
    state TEXT NOT NULL,                     -- begun | sent | refused
    reference TEXT,                          -- TP-MR, or the provider's id
    begun_at INTEGER NOT NULL,
    sent_at INTEGER,
    verdict TEXT,                            -- delivered | trying | failed
    verdict_code TEXT,
    verdict_words TEXT,
    verdict_at INTEGER,
    UNIQUE (attempt_id, number)
);
CREATE INDEX part_of ON part (message_id);
CREATE INDEX part_use ON part (phone_id, begun_at, size, message_id); -- all that limits count
CREATE INDEX part_reference ON part (phone_id, reference, id) WHERE reference IS NOT NULL;
-- Only providers are asked what became of a part, by ids that are longer than a TP-MR.
CREATE INDEX part_awaited ON part (phone_id)
    WHERE state = 'sent' AND (verdict IS NULL OR verdict = 'trying') AND length(reference) > 3;

-- Reports that came before the answer they belong to, or belong to nothing that we know.
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    key TEXT NOT NULL,
    reference TEXT NOT NULL,
    recipient TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT NOT NULL,
    words TEXT NOT NULL,
    at INTEGER,
    received_at INTEGER NOT NULL,
    part_id INTEGER REFERENCES part (id),    -- none: nobody's so far
    UNIQUE (phone_id, key)
);
CREATE INDEX report_loose ON report (phone_id, reference) WHERE part_id IS NULL;

-- RaspiSMS's "sended": a row for each message that left or was refused for good, in that order.
CREATE TABLE sended (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL UNIQUE REFERENCES message (id),
    account_id INTEGER NOT NULL,
    phone_id INTEGER REFERENCES phone (id),
    adapter TEXT NOT NULL,
    uid TEXT NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,                    -- unknown | delivered | failed
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);

CREATE TABLE received (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    at INTEGER NOT NULL,                     -- when it was whole here
    sent_at INTEGER,                         -- the service centre's time
    origin TEXT NOT NULL,
    text TEXT NOT NULL,
    flash INTEGER NOT NULL,
    complete INTEGER NOT NULL,               -- 0: parts of it never came
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);

-- Every PDU that any memory ever held, raw. The key makes repeats vanish.
CREATE TABLE incoming (
    id INTEGER PRIMARY KEY,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    key TEXT NOT NULL,
    raw TEXT NOT NULL,
    origin TEXT NOT NULL,
    sent_at INTEGER,
    came_at INTEGER NOT NULL,
    reference INTEGER,
    wide INTEGER,
    total INTEGER,
    number INTEGER,
    series INTEGER,                          -- the parts of one message share it
    error TEXT,
    received_id INTEGER REFERENCES received (id)
);
CREATE INDEX incoming_key ON incoming (phone_id, key, came_at);
CREATE INDEX incoming_open ON incoming (phone_id, origin, reference) WHERE received_id IS NULL AND total IS NOT NULL;
CREATE INDEX incoming_series ON incoming (series) WHERE series IS NOT NULL;

-- What happened, in order: the history of messages, and what webhooks and event streams are fed from.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                      -- state | received
    message_id INTEGER REFERENCES message (id),
    received_id INTEGER REFERENCES received (id),
    state TEXT,
    words TEXT
);
CREATE INDEX event_of_message ON event (message_id) WHERE message_id IS NOT NULL;

-- A PIN is tried once on a SIM. A digest, so that no PIN lies open; who has this file and a minute
-- can find the four digits, so the file is for its owner alone.
CREATE TABLE pin_attempt (
    sim TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,      -- 0: claimed, and not settled yet
    PRIMARY KEY (sim, digest)
);

CREATE TABLE idempotency (
    account_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    scheduled_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) WITHOUT ROWID;
