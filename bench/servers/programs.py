"""What the ways that run a program of this machine share: find it, see that it runs, start it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from bench.errors import Missing
from bench.servers.binary import Binary, probe
from bench.servers.cluster import Cluster
from bench.servers.local import LocalServer
from bench.servers.mongo import MongoServer
from bench.servers.mongo_replica_set import MongoReplicaSet
from bench.servers.postgres import PostgresServer
from bench.servers.postgres_replica import PostgresReplica, PostgresSynchronousReplica
from bench.servers.redis import RedisServer
from bench.servers.redis_cluster import RedisCluster
from bench.servers.redis_sentinel import RedisSentinel
from bench.servers.server import Found, Server, Unavailable

_SERVERS: Mapping[str, type[LocalServer]] = {
    "redis": RedisServer,
    "postgres": PostgresServer,
    "mongo": MongoServer,
}

_CLUSTERS: Mapping[tuple[str, str], type[Cluster]] = {
    ("redis", "sentinel"): RedisSentinel,
    ("redis", "cluster"): RedisCluster,
    ("postgres", "replica"): PostgresReplica,
    ("postgres", "synchronous-replica"): PostgresSynchronousReplica,
    ("mongo", "rs3"): MongoReplicaSet,
}
"""Kind and `Topology.layout` -> what starts it."""


class Programs(ABC):
    """A way that ends in a program. A way of its own says where that is."""

    name: str

    @abstractmethod
    def named(self, kind: str) -> bool:
        """Whether the user named this way's server by an environment variable."""

    @abstractmethod
    def locate(self, kind: str) -> Path:
        """Find the program. Raises Missing."""

    @abstractmethod
    def mend(self, kind: str) -> str:
        """Say what would bring it."""

    def find(self, kind: str) -> Found | Unavailable:
        """Look for the program and ask it for its version."""
        try:
            binary = self._probe(kind)
        except Missing as missing:
            return Unavailable(kind, self.name, str(missing), self.mend(kind))
        return Found(kind, self.name, str(binary.program), binary.version)

    def require(  # noqa: B027
        self, kind: str, settings: Mapping[str, str], layout: str | None = None
    ) -> None:
        """Any: a server that is started is started with them."""

    def start(
        self, kind: str, folder: Path, settings: Mapping[str, str], layout: str | None = None
    ) -> Server:
        """Start it on an empty folder. Raises Failed, Missing."""
        if layout is None:
            return _SERVERS[kind](self._probe(kind), folder, settings)
        return _CLUSTERS[kind, layout](self._probe(kind), folder, settings)

    def _probe(self, kind: str) -> Binary:
        return probe(kind, self.name, self.locate(kind))
