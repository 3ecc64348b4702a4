"""Verify counts as use, and moves the idle expiry on."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Token, Verification

CAUGHT_BY = 13


class VerifySlidesExpiry(MemoryStore):
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        answer = super().verify(token, device, now_ms)
        if answer.outcome is Outcome.VALID and answer.session is not None:
            session = answer.session
            life_ms = session.idle_expires_at_ms - (session.rotated_at_ms or session.issued_at_ms)
            until_ms = min(now_ms + life_ms, session.absolute_expires_at_ms)
            with self._lock:
                self._sessions[token.family] = replace(session, idle_expires_at_ms=until_ms)
        return answer


make = VerifySlidesExpiry
