-- What was learnt of models and firmwares: the rung of the +CNMI ladder that works, and the like.
CREATE TABLE lore (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at INTEGER NOT NULL
);
