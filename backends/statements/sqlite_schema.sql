-- The tables on SQLite. Texts are BLOBs holding UTF-8, keyed as on PostgreSQL, so that both share
-- their statements; CAST(subject AS TEXT) prints one legibly.

CREATE TABLE IF NOT EXISTS refresh_session (
    subject BLOB NOT NULL,
    family BLOB NOT NULL,
    long_subject BLOB,
    long_family BLOB,
    client BLOB NOT NULL,
    device BLOB NOT NULL,
    issued_at_ms INTEGER NOT NULL,
    absolute_expires_at_ms INTEGER NOT NULL,
    idle_expires_at_ms INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    digest BLOB NOT NULL,
    predecessor_digest BLOB NOT NULL,
    rotated_at_ms INTEGER,
    grace_until_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    revoked_reason TEXT,
    PRIMARY KEY (subject, family)
) WITHOUT ROWID;  -- the rows live in the key's own B-tree: one page to write a rotation, not two

CREATE TABLE IF NOT EXISTS refresh_subject_revocation (
    subject BLOB PRIMARY KEY,
    revoked_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS refresh_denial (
    digest BLOB PRIMARY KEY,
    until_ms INTEGER NOT NULL
) WITHOUT ROWID;
