"""Raises for a family that it doesn't know."""

from backends.memory import MemoryStore
from backends.store import Family, Reason

CAUGHT_BY = 18


class UnknownIsAnError(MemoryStore):
    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        if family not in self._sessions:
            raise KeyError(family)
        super().revoke(family, reason, now_ms)


make = UnknownIsAnError
