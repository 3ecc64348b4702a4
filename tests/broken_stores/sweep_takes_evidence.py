"""Sweep removes ended and rotated sessions, the evidence of reuse."""

from backends.memory import MemoryStore

CAUGHT_BY = 20


class SweepTakesEvidence(MemoryStore):
    def sweep(self, now_ms: int, limit: int) -> int:
        removed = super().sweep(now_ms, limit)
        with self._lock:
            done = [f for f, s in self._sessions.items() if s.revoked_at_ms is not None]
            for family in done[: limit - removed]:
                del self._sessions[family]
                self._by_subject[family.subject].discard(family)
        return removed


make = SweepTakesEvidence
