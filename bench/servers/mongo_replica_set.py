"""MongoDB as a replica set of three: every member votes, and holds the data.

host-0: mongo-0     host-1: mongo-1     host-2: mongo-2
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pymongo import MongoClient

from bench.errors import Failed
from bench.servers.cluster import Cluster
from bench.servers.driver_errors import driver_errors
from bench.servers.mongo import MongoServer

ELECTION_TIMEOUT_MS = 1_000
"""Silence of the primary after which a member stands for election, and silence of the majority
after which a primary steps down. MongoDB's own default is 10 s."""
HEARTBEAT_MS = 200
"""MongoDB's own is 2 s: longer than the silence that is to be noticed."""
CLIENT_MS = 1_000
"""How long a client waits to connect, and for an answer; and we for a write to be replicated."""
_JOINING = {
    "electionTimeoutMillis": ELECTION_TIMEOUT_MS,
    "heartbeatIntervalMillis": HEARTBEAT_MS,
    "heartbeatTimeoutSecs": 1,
}
"""Settings of the set."""


class MongoMember(MongoServer):
    """One of several; the set is made by who starts them."""

    def ask(self) -> None:
        """Ping: whether there is a primary is a question to the set."""
        with self.client() as client:
            client.admin.command("ping")

    def first_start(self) -> None:
        """Nothing: it waits to be told of the others."""


class MongoReplicaSet(Cluster):
    """Three members that elect their primary."""

    kind = "mongo"
    host_count = 3

    @property
    def url(self) -> str:
        """All members: the driver finds out which is primary."""
        limits = f"connectTimeoutMS={CLIENT_MS}&socketTimeoutMS={CLIENT_MS}"
        places = ",".join(self._names())
        return f"mongodb://{places}/?replicaSet={self.settings['replSet']}&{limits}"

    @property
    def replica_url(self) -> str:
        """All members, of which the driver reads from one that isn't primary."""
        return f"{self.url}&readPreference=secondary"

    def build(self) -> None:
        """Start them, tell one of all three, and wait until a primary is followed by the others."""
        self._trio = [
            self.add(
                f"mongo-{number}",
                partial(MongoMember, self.binary, settings=self.settings, host=host),
            )
            for number, host in enumerate(self.hosts.all[: self.host_count])
        ]
        with self._trio[0].client() as client:
            client.admin.command("replSetInitiate", self._configuration())
        self.wait_until_settled()

    def primary(self) -> str:
        """Ask as a client does that has just come: it believes who has a majority's votes."""
        with self._client() as client:
            client.admin.command("ping")
            found = client.primary
        if found is None:
            raise Failed("mongo has lost its primary again")
        host, port = found
        return self._names()[f"{host}:{port}"]

    def settled(self) -> bool:
        """Whether a write of now is soon held by all: one is primary, and the others follow it."""
        return self._noted_by(self.host_count)

    @property
    def joining(self) -> Mapping[str, str]:
        """Give what decides how soon a primary is missed."""
        return {name: str(value) for name, value in _JOINING.items()}

    def read_joining(self) -> Sequence[Mapping[str, str]]:
        """Ask every member for the set's configuration; it may have come by a heartbeat."""
        return [_joining_of(member) for member in self._trio]

    def has_new_primary(self, old: str) -> bool:
        """Whether another is primary, and a majority has a write of its term.

        Before that, an old primary that is back could still hand its own writes over: a new one
        catches up with whoever it reaches, and the loss would be hidden.
        """
        return super().has_new_primary(old) and self._noted_by("majority")

    def _names(self) -> Mapping[str, str]:
        """Give how members call each other -> how we call them."""
        return {f"{one.host.address}:{one.port}": name for name, one in self.members.items()}

    def _configuration(self) -> dict[str, Any]:
        members = [{"_id": number, "host": name} for number, name in enumerate(self._names())]
        return {"_id": self.settings["replSet"], "members": members, "settings": _JOINING}

    def _noted_by(self, members: int | str) -> bool:
        """Write a note that no collection holds, and see whether so many members have it soon."""
        concern = {"w": members, "wtimeout": CLIENT_MS}
        with self._client() as client:
            said = client.admin.command("appendOplogNote", data={"asked": 1}, writeConcern=concern)
        # For a command the driver leaves it to the caller to look.
        return "writeConcernError" not in said

    @contextmanager
    def _client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        with (
            driver_errors(self.url),
            MongoClient[dict[str, Any]](
                self.url, serverSelectionTimeoutMS=CLIENT_MS, socketTimeoutMS=2 * CLIENT_MS
            ) as client,
        ):
            yield client


def _joining_of(member: MongoMember) -> Mapping[str, str]:
    with member.client() as client:
        settings = client.admin.command("replSetGetConfig")["config"]["settings"]
    # A member that follows another than the primary doesn't notice the primary's silence.
    names = (*_JOINING, "chainingAllowed")
    return {name: str(settings[name]).lower() for name in names}
