"""Redis with two replicas, and three Sentinels that agree on who is primary.

host-0: redis-0, sentinel-0     host-1: redis-1, sentinel-1     host-2: redis-2, sentinel-2
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import Failed
from bench.servers.cluster import Cluster
from bench.servers.hosts import Host
from bench.servers.redis import RedisServer

NAME = "main"
"""What the Sentinels call the primary and its replicas."""
DOWN_AFTER_MS = 1_000
"""Silence after which a Sentinel takes a server for down; Redis' own default is 30 s."""
FAILOVER_TIMEOUT_MS = 4 * DOWN_AFTER_MS
QUORUM = 2
CLIENT_SECONDS = 1.0
"""How long a client of ours waits to connect, and for an answer."""
_ASK_SECONDS = 0.5

# Redis' own are 10 s and 2 s. They decide how soon after a heal the old primary is turned into a
# replica: Sentinel waits for four publishing periods (sentinel.c: sentinelRefreshInstanceInfo).
_PERIODS = {"info-period": "1000", "publish-period": "500"}

_WATCHING = {
    "quorum": str(QUORUM),
    "down-after-milliseconds": str(DOWN_AFTER_MS),
    "failover-timeout": str(FAILOVER_TIMEOUT_MS),
}
_ALONE = {"min-replicas-to-write": "0", "min-replicas-max-lag": "10"}
"""What has a primary without replicas refuse writes; Redis' own values."""


class SentinelServer(RedisServer):
    """One Sentinel: the same program, which rewrites its own configuration file."""

    def __init__(self, of: "RedisSentinel", folder: Path, host: Host, primary: RedisServer) -> None:
        self._primary = primary
        super().__init__(of.binary, folder, {}, host)

    def prepare(self) -> None:
        """Write the file that it starts from, and keeps what it learns in."""
        watched = f"{self._primary.host.address} {self._primary.port} {QUORUM}"
        self._file.write_text(
            f"port {self.port}\n"
            f"bind {self.host.address}\n"
            f"dir {self.data}\n"
            f"protected-mode {'no' if self.host.namespace else 'yes'}\n"
            f"sentinel announce-ip {self.host.address}\n"
            f"sentinel monitor {NAME} {watched}\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT_MS}\n",
            encoding="utf-8",
        )

    def command(self) -> Sequence[str]:
        """Start from the file."""
        return [str(self.binary.program), str(self._file), "--sentinel"]

    def first_start(self) -> None:
        """Have it look more often than once in 10 s."""
        for name, value in _PERIODS.items():
            self.sentinel("DEBUG", name, value)

    def check(self) -> str | None:
        """Nothing: it keeps no data."""
        return None

    def sentinel(self, *words: str) -> Any:
        """Give the answer to a SENTINEL command, as redis-py sees it. Raises Failed."""
        with self.client(_ASK_SECONDS) as client:
            driver: Any = client  # half of its methods are untyped
            return driver.execute_command("SENTINEL " + words[0], *words[1:], return_responses=True)

    @property
    def _file(self) -> Path:
        return self.data / "sentinel.conf"


class RedisSentinel(Cluster):
    """A primary, two replicas, and three Sentinels."""

    kind = "redis"
    host_count = 3

    @property
    def url(self) -> str:
        """The Sentinels, whom the store asks for the primary."""
        at = ",".join(f"{one.host.address}:{one.port}" for one in self._sentinels)
        limits = f"socket_connect_timeout={CLIENT_SECONDS}&socket_timeout={CLIENT_SECONDS}"
        return f"redis+sentinel://{at}/{NAME}?{limits}"

    @property
    def replica_url(self) -> str:
        """The same Sentinels, asked for a replica."""
        return f"{self.url}&role=replica"

    def build(self) -> None:
        """Start primary, replicas and Sentinels, and wait until each knows all others."""
        self._servers: list[RedisServer] = []
        self._sentinels: list[SentinelServer] = []
        places = self.hosts.all[: self.host_count]
        for number, host in enumerate(places):
            given = self._settings(host)
            self._servers.append(
                self.add(
                    f"redis-{number}",
                    lambda folder, given=given, host=host: RedisServer(  # type: ignore[misc]
                        self.binary, folder, given, host
                    ),
                )
            )
        for number, host in enumerate(places):
            self._sentinels.append(
                self.add(
                    f"sentinel-{number}",
                    lambda folder, host=host: SentinelServer(  # type: ignore[misc]
                        self, folder, host, self._servers[0]
                    ),
                )
            )
        self.wait_until_settled()

    def primary(self) -> str:
        """Whom a quorum of the Sentinels names, the last first: a cut takes the first away."""
        named = [name for one in reversed(self._sentinels) if (name := self._named_by(one))]
        for name in self.members:
            if named.count(name) >= QUORUM:
                return name
        raise Failed(f"the Sentinels don't agree on a primary: {named}")

    def settled(self) -> bool:
        """Whether all Sentinels know each other and name one primary, whom the others follow."""
        name = self.primary()
        if any(self._named_by(one) != name for one in self._sentinels):
            return False
        for one in self._sentinels:
            known = one.sentinel("MASTER", NAME)
            if (known["num-other-sentinels"], known["num-slaves"]) != (2, 2):
                return False
        [leader] = [one for one in self._servers if one is self.members[name]]
        return all(follows(one, leader) for one in self._servers if one is not leader)

    @property
    def joining(self) -> Mapping[str, str]:
        """Give what decides how soon a primary is missed, and what stops one that is alone."""
        return {**_WATCHING, **alone(self.settings)}

    def read_joining(self) -> Sequence[Mapping[str, str]]:
        """Ask every Sentinel, and the server beside it, which may be the next primary."""
        return [
            {**_watching(sentinel), **read_alone(server)}
            for sentinel, server in zip(self._sentinels, self._servers, strict=True)
        ]

    def _settings(self, host: Host) -> Mapping[str, str]:
        """Give a server's settings; the first one started is the primary of the rest."""
        own = {
            **self.settings,
            "replica-announce-ip": host.address,
            "bind-source-addr": host.address,
            # It would wait 5 s for more replicas before it sends the first its copy.
            "repl-diskless-sync-delay": "0",
        }
        if not self._servers:
            return own
        return {**own, "replicaof": f"{self._servers[0].host.address} {self._servers[0].port}"}

    def _named_by(self, sentinel: SentinelServer) -> str | None:
        """Name the member that a Sentinel takes for primary; None if it isn't reached."""
        try:
            host, port = sentinel.sentinel("GET-MASTER-ADDR-BY-NAME", NAME)
        except Failed:
            return None
        return next(
            (
                name
                for name, member in self.members.items()
                if (host.decode(), port) == (member.host.address, member.port)
            ),
            None,
        )


def follows(replica: RedisServer, leader: RedisServer) -> bool:
    """Whether a server is a replica of another, and has all that was written there until now.

    Raises Failed.
    """
    # The leader is asked first: what it writes since, pings too, only takes the replica farther.
    written = _replication(leader)["master_repl_offset"]
    about = _replication(replica)
    return (
        about["role"] == "slave"
        and (about["master_host"], about["master_port"]) == (leader.host.address, leader.port)
        and about["master_link_status"] == "up"
        and not about["master_sync_in_progress"]
        and about["slave_repl_offset"] >= written
    )


def _replication(server: RedisServer) -> Any:
    with server.client(_ASK_SECONDS) as client:
        return client.info("replication")


def alone(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Give what a primary without replicas is to do, by the settings given."""
    return {name: settings.get(name, default) for name, default in _ALONE.items()}


def read_alone(server: RedisServer) -> Mapping[str, str]:
    """Read the same back."""
    return {name: server.setting(name) for name in _ALONE}


def _watching(sentinel: SentinelServer) -> Mapping[str, str]:
    known = sentinel.sentinel("MASTER", NAME)
    return {name: str(known[name]) for name in _WATCHING}
