"""Each rotation moves the absolute expiry along."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 13


class SlidingAbsoluteExpiry(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.ROTATED and before is not None:
            life_ms = before.absolute_expires_at_ms - before.issued_at_ms
            self._sessions[token.family] = replace(
                self._sessions[token.family], absolute_expires_at_ms=now_ms + life_ms
            )
        return answer


make = SlidingAbsoluteExpiry
