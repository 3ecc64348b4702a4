-- The tables on PostgreSQL, 15 or later, in whichever schema is current.
--
-- Texts are bytea holding UTF-8: text can't hold U+0000, compares by the database's collation, and
-- depends on its encoding. `SET bytea_output = escape` prints them legibly.

-- Two that prepare the same database at once would collide in the catalogue, IF NOT EXISTS or not.
SELECT pg_advisory_xact_lock(hashtext('refresh_session'));

CREATE TABLE IF NOT EXISTS refresh_session (
    -- A B-tree entry holds up to 2,704 bytes, so a name of more than 1,000 is shortened to 0xFF
    -- (which UTF-8 never has) and its SHA-256; then long_subject or long_family has it in full.
    subject bytea NOT NULL,
    family bytea NOT NULL,
    long_subject bytea,
    long_family bytea,
    client bytea NOT NULL,
    device bytea NOT NULL,
    issued_at_ms bigint NOT NULL,
    absolute_expires_at_ms bigint NOT NULL,
    -- What a rotation changes comes last: the WAL record of an update on the same page leaves out
    -- the bytes that both versions of the row begin with.
    idle_expires_at_ms bigint NOT NULL,
    generation bigint NOT NULL,
    digest bytea NOT NULL,
    predecessor_digest bytea NOT NULL,
    rotated_at_ms bigint,
    grace_until_ms bigint NOT NULL,
    revoked_at_ms bigint,
    revoked_reason text,
    verdict text,
    -- The only index, on columns that never change. One on a column that rotation changes would
    -- end HOT updates: each rotation would then write to every index, and twice the WAL.
    PRIMARY KEY (subject, family)
) WITH (fillfactor = 80);  -- room on the page for the next version of its rows

CREATE TABLE IF NOT EXISTS refresh_subject_revocation (
    subject bytea PRIMARY KEY,
    revoked_at_ms bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS refresh_denial (
    digest bytea PRIMARY KEY,
    until_ms bigint NOT NULL
);
