"""Revoking again rewrites the reason and the instant."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Family, Reason

CAUGHT_BY = 18


class LastReasonWins(MemoryStore):
    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        with self._lock:
            session = self._sessions.get(family)
            if session is not None:
                self._sessions[family] = replace(
                    session, revoked_at_ms=now_ms, revoked_reason=reason
                )


make = LastReasonWins
