"""Acknowledges a write that is still in the process: SIGKILL takes it along."""

import pickle
from pathlib import Path

from backends.memory import MemoryStore
from backends.store import Capabilities, No, Policy, Session

CAUGHT_BY = 21


class WrittenLater(MemoryStore):
    capabilities = Capabilities(
        shared_by_processes=No("each process has a copy of its own"),
        shared_by_hosts=No("each process has a copy of its own"),
        native_ttl=No("nothing goes until it is swept"),
    )

    def __init__(self, policy: Policy, path: Path) -> None:
        super().__init__(policy)
        self._path = path
        self._unwritten = 0
        if path.exists():
            self._sessions, self._denied_until_ms, self._subject_revoked_at_ms = pickle.loads(
                path.read_bytes()
            )
            for family in self._sessions:
                self._by_subject[family.subject].add(family)

    def issue(self, session: Session) -> None:
        super().issue(session)
        self._unwritten += 1
        if self._unwritten >= 16:
            self._write()

    def close(self) -> None:
        self._write()

    def _write(self) -> None:
        self._unwritten = 0
        kept = (self._sessions, self._denied_until_ms, self._subject_revoked_at_ms)
        self._path.write_bytes(pickle.dumps(kept))


def make(directory: Path, policy: Policy) -> WrittenLater:
    """Keep all sessions in one file."""
    return WrittenLater(policy, directory / "sessions.pickle")
