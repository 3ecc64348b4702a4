"""A second issue of a family replaces it, rotations and all."""

from backends.memory import MemoryStore
from backends.store import Session

CAUGHT_BY = 1


class IssueOverwrites(MemoryStore):
    def issue(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.family, None)
        super().issue(session)


make = IssueOverwrites
