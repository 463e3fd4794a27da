-- Contacts and groups: who may be written to by a name of one's own.
CREATE TABLE contact (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,                    -- E.164
    data TEXT NOT NULL,                      -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);
CREATE TABLE contact_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);
CREATE TABLE member (
    group_id INTEGER NOT NULL REFERENCES contact_group (id) ON DELETE CASCADE,
    contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX member_of ON member (contact_id);

-- Whom a scheduled row is for, beside its numbers. What has become messages is taken out of all
-- three in the same transaction: what is still there is still to come.
CREATE TABLE scheduled_contact (
    scheduled_id INTEGER NOT NULL REFERENCES scheduled (id) ON DELETE CASCADE,
    contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    PRIMARY KEY (scheduled_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX scheduled_contact_of ON scheduled_contact (contact_id);
CREATE TABLE scheduled_group (
    scheduled_id INTEGER NOT NULL REFERENCES scheduled (id) ON DELETE CASCADE,
    group_id INTEGER NOT NULL REFERENCES contact_group (id) ON DELETE CASCADE,
    reached INTEGER NOT NULL DEFAULT 0,      -- its members up to this contact are messages
    PRIMARY KEY (scheduled_id, group_id)
) WITHOUT ROWID;
CREATE INDEX scheduled_group_of ON scheduled_group (group_id);

-- Those with the fewest go first: a large one lets the others pass.
ALTER TABLE scheduled ADD COLUMN batches INTEGER NOT NULL DEFAULT 0;

-- A request that was too large for one transaction, or somebody was left out of; kept when its
-- scheduled row has gone.
CREATE TABLE campaign (
    scheduled_id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expanded INTEGER NOT NULL DEFAULT 0,     -- how many messages it has become
    duplicate INTEGER NOT NULL DEFAULT 0,    -- left out: named before
    stopped INTEGER NOT NULL DEFAULT 0,      -- left out: they want no more messages
    invalid INTEGER NOT NULL DEFAULT 0,      -- left out: no valid number, nobody's contact or group
    withdrawn INTEGER NOT NULL DEFAULT 0,    -- not expanded any more when it was cancelled
    cancelled_at INTEGER,
    ended_at INTEGER                         -- none: there is still something to expand, or to cancel
);
CREATE INDEX campaign_cancelling ON campaign (cancelled_at)
    WHERE cancelled_at IS NOT NULL AND ended_at IS NULL;

-- Whether a request has a message to a number already.
DROP INDEX message_scheduled;
CREATE INDEX message_scheduled ON message (scheduled_id, destination);

-- What follows lets old rows be deleted without a look at every other row. A report's part may be
-- gone before it.
CREATE TABLE report_kept (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    key TEXT NOT NULL,
    reference TEXT NOT NULL,
    recipient TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT NOT NULL,
    words TEXT NOT NULL,
    at INTEGER,
    received_at INTEGER NOT NULL,
    part_id INTEGER,                         -- none: nobody's so far
    UNIQUE (phone_id, key)
);
INSERT INTO report_kept SELECT id, phone_id, key, reference, recipient, verdict, code, words, at,
       received_at, part_id FROM report;
DROP TABLE report;
ALTER TABLE report_kept RENAME TO report;
CREATE INDEX report_loose ON report (phone_id, reference) WHERE part_id IS NULL;
CREATE INDEX event_of_received ON event (received_id) WHERE received_id IS NOT NULL;
CREATE INDEX incoming_of_received ON incoming (received_id) WHERE received_id IS NOT NULL;
CREATE INDEX incoming_of_datagram ON incoming (datagram_id) WHERE datagram_id IS NOT NULL;
CREATE INDEX received_replaced ON received (replaced_by) WHERE replaced_by IS NOT NULL;
