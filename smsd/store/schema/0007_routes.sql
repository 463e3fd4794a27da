-- Whom a message may leave by beside one phone: the phones of a group, those that its number is
-- routed to, the phone that its recipient knows.
CREATE TABLE phone_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    UNIQUE (account_id, name)
);
CREATE TABLE phone_group_phone (
    group_id INTEGER NOT NULL REFERENCES phone_group (id) ON DELETE CASCADE,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    PRIMARY KEY (group_id, phone_id)
) WITHOUT ROWID;

-- The prefixes of numbers that dispatch.routes has a phone for, as configured at the last start.
CREATE TABLE prefix (prefix TEXT PRIMARY KEY) WITHOUT ROWID;

ALTER TABLE scheduled ADD COLUMN phone_group_id INTEGER;
ALTER TABLE scheduled ADD COLUMN sticky INTEGER NOT NULL DEFAULT 0; -- by the phone that its recipient knows

ALTER TABLE message ADD COLUMN wanted_group_id INTEGER;               -- may be gone by now
ALTER TABLE message ADD COLUMN known_phone_id INTEGER REFERENCES phone (id); -- that its recipient knows
ALTER TABLE message ADD COLUMN prefix TEXT;                                  -- the longest that it has a route by
ALTER TABLE message ADD COLUMN sticky INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN declined TEXT;                 -- the phones that have, ascending: 1,3
-- 1: messages to its recipient are counted (guards) or followed (sticky).
ALTER TABLE message ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_watched ON message (destination, id) WHERE watched = 1;
CREATE INDEX received_from ON received (origin, id);

-- All that the router looks at but size and age: messages of one lane and size wait for the same phones.
-- bN begun on phone N; else pN and gN the phone and group asked for, kN the phone that is known,
-- r+33 the route, f flash, m MMS, d1,3 the phones that have declined it; empty: any phone.
DROP INDEX message_due;
ALTER TABLE message DROP COLUMN lane;
ALTER TABLE message ADD COLUMN lane TEXT NOT NULL GENERATED ALWAYS AS (
    CASE WHEN begun_on IS NOT NULL THEN 'b' || begun_on
         ELSE coalesce('p' || wanted_phone_id, '') || coalesce('g' || wanted_group_id, '')
              || coalesce('k' || known_phone_id, '') || coalesce('r' || prefix, '')
              || CASE WHEN flash THEN 'f' ELSE '' END || CASE WHEN mms THEN 'm' ELSE '' END
              || coalesce('d' || declined, '') END) VIRTUAL;
CREATE INDEX message_due ON message (lane, priority, parts, due_at) WHERE state = 'queued';

-- Verdicts on a phone that a restart does not lift: its operator's, its balance's, its own failures'.
CREATE TABLE phone_bar (
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    kind TEXT NOT NULL,                      -- operator | credit | breaker
    health TEXT NOT NULL,
    words TEXT NOT NULL,
    hint TEXT,
    since INTEGER NOT NULL,
    until INTEGER,                           -- none: until something is heard
    openings INTEGER NOT NULL DEFAULT 0,     -- how often the breaker has opened in a row
    PRIMARY KEY (phone_id, kind)
) WITHOUT ROWID;
