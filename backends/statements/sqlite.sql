-- Statements that SQLite alone needs. Its writers are serial, so none of them has to order locks.

-- name: replace(
--     subject, family, held_generation, held_digest, generation, digest, predecessor_digest,
--     idle_expires_at_ms, rotated_at_ms, grace_until_ms, revoked_at_ms, revoked_reason
-- )
-- Changes the session only if it is still the one that was judged: each rotation moves the
-- generation, a revocation sets its instant, and the digest tells a family that was swept and
-- issued again.
UPDATE refresh_session
SET
    generation = :generation,
    digest = :digest,
    predecessor_digest = :predecessor_digest,
    idle_expires_at_ms = :idle_expires_at_ms,
    rotated_at_ms = :rotated_at_ms,
    grace_until_ms = :grace_until_ms,
    revoked_at_ms = :revoked_at_ms,
    revoked_reason = :revoked_reason
WHERE subject = :subject
    AND family = :family
    AND generation = :held_generation
    AND digest = :held_digest
    AND revoked_at_ms IS NULL

-- name: revoke_subject(subject, reason, now_ms, except_family)
UPDATE refresh_session
SET revoked_at_ms = :now_ms, revoked_reason = :reason
WHERE subject = :subject AND family IS NOT :except_family AND revoked_at_ms IS NULL

-- name: sweep_sessions(now_ms, at_most)
-- A scan, which ends as soon as it has enough; other writers wait for it. An index on the idle
-- expiry would have to be rewritten at each rotation.
DELETE FROM refresh_session
WHERE (subject, family) IN (
    SELECT subject, family FROM refresh_session
    WHERE idle_expires_at_ms <= :now_ms
    LIMIT :at_most
)
