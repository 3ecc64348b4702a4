"""MongoDB, find_one and then replace_one: each atomic, the two together not."""

from dataclasses import replace

from backends.mongo import BACKEND as MONGO
from backends.mongo import MongoStore
from backends.mongo_client import translated
from backends.mongo_documents import session_id, to_document, to_session
from backends.naive import ReadDecideWrite, naive
from backends.store import Family, Place, Policy, Profile, Session


class NaiveMongoStore(ReadDecideWrite, MongoStore):
    """The same documents as `mongo`, replaced as a whole."""

    def _read_session(self, family: Family) -> Session | None:
        with translated():
            found = self._sessions.find_one({"_id": session_id(family)})
        return None if found is None else to_session(found)

    def _write_session(self, session: Session) -> None:
        with translated():
            self._sessions.replace_one(
                {"_id": session_id(session.family)}, to_document(session), upsert=True
            )


def open_store(place: Place, profile: Profile, policy: Policy) -> NaiveMongoStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "mongo needs a server"
    return NaiveMongoStore(place.url, profile, policy)


BACKEND = replace(naive(MONGO, "MongoDB", "find_one, then replace_one"), open=open_store)
