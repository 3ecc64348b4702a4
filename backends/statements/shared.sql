-- Statements that PostgreSQL and SQLite read alike. Each is headed by its name and the order in
-- which its values are given.

-- name: issue(
--     subject, family, long_subject, long_family, client, device, issued_at_ms,
--     absolute_expires_at_ms, idle_expires_at_ms, generation, digest, predecessor_digest,
--     rotated_at_ms, grace_until_ms, revoked_at_ms, revoked_reason
-- )
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
ON CONFLICT (subject, family) DO NOTHING

-- name: end_if_subject_revoked(subject, family)
-- Runs after `issue` was committed, as a statement and with a snapshot of its own; see
-- SqlStore.issue for why nothing slips between the two.
UPDATE refresh_session
SET revoked_at_ms = ended.revoked_at_ms, revoked_reason = 'subject'
FROM refresh_subject_revocation AS ended
WHERE refresh_session.subject = :subject
    AND refresh_session.family = :family
    AND refresh_session.revoked_at_ms IS NULL
    AND ended.subject = :subject
    AND ended.revoked_at_ms >= refresh_session.issued_at_ms

-- name: any_revocation(at_most)
SELECT 1 FROM refresh_subject_revocation LIMIT :at_most

-- name: find(subject, family)
SELECT
    client, device, issued_at_ms, absolute_expires_at_ms, idle_expires_at_ms,
    generation, digest, predecessor_digest, rotated_at_ms, grace_until_ms,
    revoked_at_ms, revoked_reason
FROM refresh_session
WHERE subject = :subject AND family = :family

-- name: sessions(subject)
SELECT
    client, device, issued_at_ms, absolute_expires_at_ms, idle_expires_at_ms,
    generation, digest, predecessor_digest, rotated_at_ms, grace_until_ms,
    revoked_at_ms, revoked_reason, coalesce(long_family, family)
FROM refresh_session
WHERE subject = :subject

-- name: revoke(subject, family, reason, now_ms)
UPDATE refresh_session
SET revoked_at_ms = :now_ms, revoked_reason = :reason
WHERE subject = :subject AND family = :family AND revoked_at_ms IS NULL

-- name: remember_revocation(subject, now_ms)
INSERT INTO refresh_subject_revocation (subject, revoked_at_ms)
VALUES (:subject, :now_ms)
ON CONFLICT (subject) DO UPDATE
SET revoked_at_ms = excluded.revoked_at_ms
WHERE refresh_subject_revocation.revoked_at_ms < excluded.revoked_at_ms

-- name: deny(digest, until_ms)
INSERT INTO refresh_denial (digest, until_ms)
VALUES (:digest, :until_ms)
ON CONFLICT (digest) DO UPDATE
SET until_ms = excluded.until_ms
WHERE refresh_denial.until_ms < excluded.until_ms

-- name: is_denied(digest)
SELECT 1 FROM refresh_denial WHERE digest = :digest

-- name: sweep_denials(now_ms, at_most)
DELETE FROM refresh_denial
WHERE until_ms < :now_ms
    AND digest IN (SELECT digest FROM refresh_denial WHERE until_ms < :now_ms LIMIT :at_most)

-- name: sweep_revocations(before_ms, at_most)
DELETE FROM refresh_subject_revocation
WHERE revoked_at_ms < :before_ms
    AND subject IN (
        SELECT subject FROM refresh_subject_revocation
        WHERE revoked_at_ms < :before_ms
        LIMIT :at_most
    )
