"""Ends a subject's sessions by a pattern, and those of everyone whose name begins so."""

from backends.memory import MemoryStore
from backends.store import Reason

CAUGHT_BY = 17


class RevokesByPrefix(MemoryStore):
    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        for name in {family.subject for family in self._sessions}:
            if name.startswith(subject):
                super().revoke_subject(name, reason, now_ms, except_family)


make = RevokesByPrefix
