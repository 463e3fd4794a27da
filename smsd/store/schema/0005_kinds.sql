-- What an incoming message is beside its text: see Kind in model/content.py.
ALTER TABLE incoming ADD COLUMN kind TEXT NOT NULL DEFAULT 'text';
ALTER TABLE received ADD COLUMN kind TEXT NOT NULL DEFAULT 'text';
-- 1 to 7: a newer message of the same type and originator replaces it (23.040 9.2.3.9). The older
-- one is kept, hidden behind the id of the one that replaced it.
ALTER TABLE received ADD COLUMN replace_type INTEGER;
ALTER TABLE received ADD COLUMN replaced_by INTEGER REFERENCES received (id);
CREATE INDEX received_replaceable ON received (phone_id, origin, replace_type)
    WHERE replace_type IS NOT NULL AND replaced_by IS NULL;

-- Messages for programs, not for people: octets, and the ports that they are for.
CREATE TABLE datagram (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    phone_id INTEGER NOT NULL REFERENCES phone (id),
    at INTEGER NOT NULL,
    sent_at INTEGER,
    origin TEXT NOT NULL,
    destination_port INTEGER,                -- none: octets without ports
    source_port INTEGER,
    data TEXT NOT NULL,                      -- hex
    created_at INTEGER NOT NULL,
    updated_at INTEGER
);
ALTER TABLE incoming ADD COLUMN datagram_id INTEGER REFERENCES datagram (id);
