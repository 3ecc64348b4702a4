-- Statements that PostgreSQL alone understands, or needs for its concurrency.

-- name: rotate(
--     subject, family, generation, digest, device, now_ms, successor_digest,
--     successor_idle_expires_at_ms, grace_until_ms, mismatch_reason
-- )
-- The whole of lifecycle.after_rotate in one statement and one round trip. No row means UNKNOWN.
--
-- Of racers on one row the first locks it. Under READ COMMITTED each other waits, and then has its
-- WHERE and its SET evaluated anew on the version that the first committed (EvalPlanQual, manual
-- section 13.2.1). So `held` is always the newest version, and exactly one racer is told 'rotated'.
-- A SELECT beside the UPDATE would still read the statement's snapshot, from before the wait.
--
-- RETURNING sees new values only, before PostgreSQL 18; the verdict needs the old ones. So the SET
-- stores the verdict in the row, and RETURNING reads it from there. The price: EXPIRED, REVOKED,
-- GRACE and DEVICE_MISMATCH, told to bearers of authentic tokens only, write a row version too.
-- Forged and unknown tokens write nothing. Judging first and updating only what changes would spare
-- refusals that, and costs each rotation a third more of the server's time.
--
-- OFFSET 0 keeps the planner from copying the verdict's CASE into each of the nine columns.
UPDATE refresh_session AS held
SET (
    generation, digest, predecessor_digest, idle_expires_at_ms, rotated_at_ms, grace_until_ms,
    revoked_at_ms, revoked_reason, verdict
) = (
    SELECT
        CASE verdict WHEN 'rotated' THEN held.generation + 1 ELSE held.generation END,
        CASE verdict WHEN 'rotated' THEN :successor_digest ELSE held.digest END,
        CASE verdict WHEN 'rotated' THEN held.digest ELSE held.predecessor_digest END,
        CASE verdict
            WHEN 'rotated' THEN least(:successor_idle_expires_at_ms, held.absolute_expires_at_ms)
            ELSE held.idle_expires_at_ms
        END,
        CASE verdict WHEN 'rotated' THEN :now_ms ELSE held.rotated_at_ms END,
        CASE verdict WHEN 'rotated' THEN :grace_until_ms ELSE held.grace_until_ms END,
        CASE WHEN reason IS NULL THEN held.revoked_at_ms ELSE :now_ms END,
        coalesce(reason, held.revoked_reason),
        verdict
    FROM (
        SELECT
            verdict,
            CASE verdict
                WHEN 'reused' THEN 'reuse'
                WHEN 'device_mismatch' THEN CAST(:mismatch_reason AS text)
            END AS reason
        FROM (
            SELECT
                CASE
                    WHEN held.revoked_at_ms IS NOT NULL THEN 'revoked'
                    WHEN :now_ms >= least(held.idle_expires_at_ms, held.absolute_expires_at_ms)
                        THEN 'expired'
                    WHEN held.generation > :generation
                        AND (held.generation - 1 > :generation OR held.grace_until_ms <= :now_ms)
                        THEN 'reused'
                    WHEN held.device <> :device THEN 'device_mismatch'
                    WHEN held.generation = :generation THEN 'rotated'
                    ELSE 'grace'
                END AS verdict
            OFFSET 0
        ) AS judged
    ) AS decided
)
WHERE held.subject = :subject
    AND held.family = :family
    AND CASE
        WHEN held.generation = :generation THEN held.digest = :digest
        WHEN held.generation - 1 = :generation THEN held.predecessor_digest = :digest
        ELSE held.generation > :generation
    END
RETURNING held.verdict, held.digest, held.idle_expires_at_ms

-- name: revoke_subject(subject, reason, now_ms, except_family)
-- Rows are locked in the order of their key, so that two of these on one subject can't deadlock.
UPDATE refresh_session AS held
SET revoked_at_ms = :now_ms, revoked_reason = :reason
FROM (
    SELECT subject, family FROM refresh_session
    WHERE subject = :subject
        AND family IS DISTINCT FROM :except_family
        AND revoked_at_ms IS NULL
    ORDER BY family
    FOR NO KEY UPDATE
) AS live
WHERE held.subject = live.subject AND held.family = live.family

-- name: sweep_sessions(now_ms, at_most)
-- A scan, which ends as soon as it has enough: an index on the idle expiry would end HOT updates,
-- and one on the absolute expiry wouldn't find a session that idled out long before. SKIP LOCKED:
-- a row that someone rotates or revokes just now is left for the next sweep, with no deadlock.
-- A row that moved on after it was locked has another ctid, unseen by this snapshot: it stays too.
DELETE FROM refresh_session
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM refresh_session
    WHERE idle_expires_at_ms <= :now_ms
    LIMIT :at_most
    FOR UPDATE SKIP LOCKED
))

-- name: settings(names)
SELECT name, setting FROM pg_settings WHERE name = ANY (:names)
