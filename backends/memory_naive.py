"""Server memory without a lock: the interpreter may change threads between any two steps."""

from dataclasses import replace

from backends.memory import BACKEND as MEMORY
from backends.memory import MemoryStore
from backends.naive import ReadDecideWrite, naive
from backends.store import Family, Place, Policy, Profile, Session


class NaiveMemoryStore(ReadDecideWrite, MemoryStore):
    """A dictionary, read and then written."""

    def _read_session(self, family: Family) -> Session | None:
        return self._sessions.get(family)

    def _write_session(self, session: Session) -> None:
        self._sessions[session.family] = session
        self._by_subject[session.family.subject].add(session.family)


def open_store(place: Place, profile: Profile, policy: Policy) -> NaiveMemoryStore:
    """Open an empty store."""
    del place, profile
    return NaiveMemoryStore(policy)


BACKEND = replace(naive(MEMORY, "Server memory", "a dictionary without a lock"), open=open_store)
