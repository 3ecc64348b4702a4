"""Each use of the grace window opens it anew."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 6


class GraceRenewsItself(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.GRACE:
            with self._lock:
                session = self._sessions[token.family]
                until_ms = now_ms + self._policy.grace_ms
                self._sessions[token.family] = replace(session, grace_until_ms=until_ms)
        return answer


make = GraceRenewsItself
