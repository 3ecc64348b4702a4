-- What a naive store does on PostgreSQL and SQLite alike: it writes back what it has read.

-- name: overwrite(
--     subject, family, long_subject, long_family, client, device, issued_at_ms,
--     absolute_expires_at_ms, idle_expires_at_ms, generation, digest, predecessor_digest,
--     rotated_at_ms, grace_until_ms, revoked_at_ms, revoked_reason
-- )
-- No condition on what was read: whoever writes last stands.
INSERT INTO refresh_session (
    subject, family, long_subject, long_family, client, device,
    issued_at_ms, absolute_expires_at_ms, idle_expires_at_ms,
    generation, digest, predecessor_digest, rotated_at_ms, grace_until_ms,
    revoked_at_ms, revoked_reason
) VALUES (
    :subject, :family, :long_subject, :long_family, :client, :device,
    :issued_at_ms, :absolute_expires_at_ms, :idle_expires_at_ms,
    :generation, :digest, :predecessor_digest, :rotated_at_ms, :grace_until_ms,
    :revoked_at_ms, :revoked_reason
)
ON CONFLICT (subject, family) DO UPDATE
SET
    idle_expires_at_ms = excluded.idle_expires_at_ms,
    generation = excluded.generation,
    digest = excluded.digest,
    predecessor_digest = excluded.predecessor_digest,
    rotated_at_ms = excluded.rotated_at_ms,
    grace_until_ms = excluded.grace_until_ms,
    revoked_at_ms = excluded.revoked_at_ms,
    revoked_reason = excluded.revoked_reason
