"""A login that is on its way while its subject is revoked is inserted alive."""

from backends.memory import MemoryStore
from backends.store import Session

CAUGHT_BY = 10


class LateInsert(MemoryStore):
    def issue(self, session: Session) -> None:
        with self._lock:
            if self._sessions.setdefault(session.family, session) is session:
                self._by_subject[session.family.subject].add(session.family)


make = LateInsert
