"""Grace is counted from the end of the session: a logged-out token works on."""

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 16


class GraceFromRevokedAt(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        session = self._sessions.get(token.family)
        if session is None or session.revoked_at_ms is None:
            return answer
        # "Used" and "ended" share one column, as in many a schema.
        if now_ms >= session.revoked_at_ms + self._policy.grace_ms:
            return answer
        return Rotation(Outcome.GRACE, Successor(session.digest, session.idle_expires_at_ms))


make = GraceFromRevokedAt
