-- Order and time: RaspiSMS's API has neither priorities nor hours; they are ours.
ALTER TABLE scheduled ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scheduled ADD COLUMN send_windows TEXT;  -- JSON, as in the configuration; none: at any time
ALTER TABLE message ADD COLUMN send_windows TEXT;
CREATE INDEX message_hours ON message (send_windows, due_at) WHERE state = 'queued' AND send_windows IS NOT NULL;

-- What is in doubt is held, unless the phone's owner wants it sent again after so long.
ALTER TABLE phone ADD COLUMN resend_after INTEGER;   -- milliseconds; none: it is held
ALTER TABLE message ADD COLUMN resend_at INTEGER;
CREATE INDEX message_resend ON message (resend_at) WHERE state = 'uncertain' AND resend_at IS NOT NULL;

-- What sends nothing until it is resumed: a phone, or (0) everything.
CREATE TABLE pause (
    phone_id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT NOT NULL                            -- who wanted it
);

-- Any request that makes something may be repeated, not only one to send: its answer is kept.
ALTER TABLE idempotency RENAME COLUMN scheduled_id TO answer;
ALTER TABLE idempotency ADD COLUMN headers TEXT;     -- JSON

-- A card's memory goes with it into another modem: a copy is known by the card too.
ALTER TABLE incoming ADD COLUMN sim TEXT;            -- ICCID
CREATE INDEX incoming_sim ON incoming (sim, key, came_at) WHERE sim IS NOT NULL;
CREATE INDEX incoming_open_sim ON incoming (sim, origin, reference)
    WHERE received_id IS NULL AND total IS NOT NULL AND sim IS NOT NULL;
