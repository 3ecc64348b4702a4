"""Never looks at an expiry: what has expired, it trusts, was deleted."""

from backends.memory import MemoryStore
from backends.store import Rotation, Successor, Token, Verification

CAUGHT_BY = 14


class TrustsTheTtlThread(MemoryStore):
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        return super().verify(token, device, self._alive_ms(token, now_ms))

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return super().rotate(token, successor, device, self._alive_ms(token, now_ms))

    def _alive_ms(self, token: Token, now_ms: int) -> int:
        session = self._sessions.get(token.family)
        return now_ms if session is None else min(now_ms, session.idle_expires_at_ms - 1)


make = TrustsTheTtlThread
