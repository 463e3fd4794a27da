-- RaspiSMS's "smsstop": who wants no more messages. Of account 0: whoever sends.
CREATE TABLE smsstop (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    number TEXT NOT NULL,                    -- E.164
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    UNIQUE (account_id, number)
);
