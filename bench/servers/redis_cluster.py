"""Redis Cluster of three primaries, each with a replica on another's host.

    host-0: redis-0, redis-5     host-1: redis-1, redis-3     host-2: redis-2, redis-4

redis-3 follows redis-0, and so on. Who is cut off with one host loses two thirds of the keys, and
its own primary stops to take writes once it has missed the majority for `cluster-node-timeout`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import Failed
from bench.servers.cluster import Cluster, until
from bench.servers.hosts import Host
from bench.servers.process import Port
from bench.servers.redis import RedisServer
from bench.servers.redis_sentinel import CLIENT_SECONDS, alone, follows, read_alone

NODE_TIMEOUT_MS = 1_000
"""Redis' own default is 15 s."""
_MISSED_AFTER = "cluster-node-timeout"
SLOTS = 16_384
_PRIMARIES = 3
_ASK_SECONDS = 0.5


class ClusterNode(RedisServer):
    """One node, with a port of its own for what nodes say to each other."""

    def __init__(self, of: "RedisCluster", host: Host, folder: Path) -> None:
        self.bus = Port(host)
        given = {
            **of.settings,
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes.conf",
            _MISSED_AFTER: str(NODE_TIMEOUT_MS),
            "cluster-port": str(self.bus.number),
            "cluster-announce-ip": host.address,
            "bind-source-addr": host.address,
            "repl-diskless-sync-delay": "0",
        }
        super().__init__(of.binary, folder, given, host)

    def close(self) -> None:
        """End it, and give back both ports."""
        super().close()
        self.bus.release()

    def say(self, *words: str | int) -> Any:
        """Give the answer to a CLUSTER command as it came. Raises Failed."""
        with self.client(_ASK_SECONDS) as client:
            driver: Any = client  # its method is untyped
            return driver.execute_command("CLUSTER", *words)


class RedisCluster(Cluster):
    """Three primaries that share the keys, and a replica for each."""

    kind = "redis"
    host_count = 3

    @property
    def url(self) -> str:
        """Every node: whoever is reached says who owns what."""
        at = ",".join(f"{one.host.address}:{one.port}" for one in self.members.values())
        limits = f"socket_connect_timeout={CLIENT_SECONDS}&socket_timeout={CLIENT_SECONDS}"
        return f"redis+cluster://{at}?{limits}"

    def build(self) -> None:
        """Start the nodes, let them meet, share the slots out, and give each its replica."""
        nodes = self._nodes = [
            self.add(f"redis-{n}", partial(ClusterNode, self, self.hosts.all[_place(n)]))
            for n in range(2 * _PRIMARIES)
        ]
        first, *others = nodes
        for node in others:
            node.say("MEET", first.host.address, first.port, first.bus.number)
        edges = [SLOTS * n // _PRIMARIES for n in range(_PRIMARIES + 1)]
        for node, low, high in zip(nodes[:_PRIMARIES], edges, edges[1:], strict=False):
            node.say("ADDSLOTSRANGE", low, high - 1)
        until(lambda: self._all_met() or None, "the nodes of redis did not meet")
        for node, leader in zip(nodes[_PRIMARIES:], nodes[:_PRIMARIES], strict=True):
            leader_id = leader.say("MYID").decode()
            until(partial(_replicate, node, leader_id), "a node of redis became no replica")
        self.wait_until_settled()

    def primary(self) -> str:
        """Whom the majority takes for the owner of the first third, which is what faults strike."""
        named = [self._owner(node) for node in self._nodes]
        for name in self.members:
            if 2 * named.count(name) > len(named):
                return name
        raise Failed(f"the nodes don't agree on who owns the first slot: {named}")

    def settled(self) -> bool:
        """Whether all nodes are well and agree, and each third of the keys has its replica."""
        if not self._all_met() or len({self._owner(node) for node in self._nodes}) != 1:
            return False
        pairs = zip(self._nodes[:_PRIMARIES], self._nodes[_PRIMARIES:], strict=True)
        return all(follows(one, other) or follows(other, one) for one, other in pairs)

    @property
    def joining(self) -> Mapping[str, str]:
        """Give what decides how soon a primary is missed, and what stops one that is alone."""
        return {_MISSED_AFTER: str(NODE_TIMEOUT_MS), **alone(self.settings)}

    def read_joining(self) -> Sequence[Mapping[str, str]]:
        """Ask every node."""
        return [
            {_MISSED_AFTER: node.setting(_MISSED_AFTER), **read_alone(node)} for node in self._nodes
        ]

    def _all_met(self) -> bool:
        """Whether every node knows every other, and all slots are served."""
        for node in self._nodes:
            about = node.say("INFO").decode().splitlines()
            if not {"cluster_state:ok", f"cluster_known_nodes:{len(self._nodes)}"} <= set(about):
                return False
        return True

    def _owner(self, node: ClusterNode) -> str | None:
        """Name whom a node takes for the owner of slot 0; None if it isn't reached."""
        try:
            ranges = node.say("SLOTS")
        except Failed:
            return None
        owners = [(owner[0].decode(), owner[1]) for first, _, owner, *_ in ranges if first == 0]
        return next(
            (n for n, one in self.members.items() if (one.host.address, one.port) in owners), None
        )


def _place(number: int) -> int:
    """Give the host of the n-th node: a replica is never beside its primary."""
    return number if number < _PRIMARIES else (number + 1) % _PRIMARIES


def _replicate(node: ClusterNode, leader_id: str) -> bool | None:
    """Tell a node whom to follow; it refuses while it hasn't heard of it."""
    node.say("REPLICATE", leader_id)
    return True
