"""The grace window is compared with `<=`: at its very end it is still open."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 5


class GraceEndIncluded(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.ROTATED and self._policy.grace_ms:
            session = self._sessions[token.family]
            later_ms = session.grace_until_ms + 1
            self._sessions[token.family] = replace(session, grace_until_ms=later_ms)
        return answer


make = GraceEndIncluded
