"""PostgreSQL: UPDATE in a CTE, and a SELECT beside it that reads the snapshot from before."""

from dataclasses import replace

import psycopg

from backends import postgres
from backends.sql import key
from backends.store import Outcome, Place, Policy, Profile, Rotation, Successor, Token

# The loser waits for the winner's row lock, its UPDATE then matches nothing, and the SELECT of the
# same statement still sees the row as it was before either of them: current, hence "unknown why".
ROTATE = """
WITH won AS (
    UPDATE refresh_session SET generation = generation + 1, digest = %(next)s,
           predecessor_digest = digest, rotated_at_ms = %(now)s, grace_until_ms = %(grace)s,
           idle_expires_at_ms = least(%(idle)s, absolute_expires_at_ms)
    WHERE subject = %(subject)s AND family = %(family)s AND generation = %(generation)s
      AND digest = %(digest)s AND revoked_at_ms IS NULL
    RETURNING idle_expires_at_ms
)
SELECT 'rotated' AS outcome, idle_expires_at_ms, %(next)s::bytea AS digest FROM won
UNION ALL
SELECT CASE WHEN generation = %(generation)s + 1 AND %(now)s < grace_until_ms THEN 'grace'
            ELSE 'unknown' END, idle_expires_at_ms, digest
FROM refresh_session
WHERE subject = %(subject)s AND family = %(family)s AND NOT EXISTS (SELECT FROM won)
"""

CAUGHT_BY = 3


class CteStaleSnapshot(postgres.PsycopgStore):
    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(url, profile, policy)
        self._url = url

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        if self.verify(token, device, now_ms).outcome not in {Outcome.VALID, Outcome.GRACE}:
            return super().rotate(token, successor, device, now_ms)
        grace_ms = self._policy.grace_ms
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute(
                ROTATE,
                {
                    "subject": key(token.family.subject),
                    "family": key(token.family.id),
                    "generation": token.generation,
                    "digest": token.digest,
                    "next": successor.digest,
                    "idle": successor.idle_expires_at_ms,
                    "now": now_ms,
                    "grace": now_ms + grace_ms if grace_ms else 0,
                },
            ).fetchone()
        assert row is not None
        outcome = Outcome(row[0])
        if outcome is Outcome.UNKNOWN:
            return Rotation(outcome)
        return Rotation(outcome, Successor(row[2], row[1]))


def open_store(place: Place, profile: Profile, policy: Policy) -> CteStaleSnapshot:
    """Open the broken store."""
    assert place.url is not None
    return CteStaleSnapshot(place.url, profile, policy)


BACKEND = replace(postgres.BACKEND, name="cte_stale_snapshot", open=open_store)
