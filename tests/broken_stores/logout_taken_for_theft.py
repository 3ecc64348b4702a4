"""A replay after logout is answered REUSED, and rewrites why the session ended."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Reason, Rotation, Successor, Token

CAUGHT_BY = 16


class LogoutTakenForTheft(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        session = self._sessions.get(token.family)
        if answer.outcome is not Outcome.REVOKED or session is None:
            return answer
        self._sessions[token.family] = replace(session, revoked_reason=Reason.REUSE)
        return Rotation(Outcome.REUSED)


make = LogoutTakenForTheft
