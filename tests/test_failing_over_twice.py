"""Sentinel fails over from a primary that is alive: what that one acknowledges from then on.

The primary is killed, and a replica takes its place. For once it answers the Sentinels later than
`down-after-milliseconds` allows. From when they have told the other replica to take over, its
answers don't stop that: the other is promoted, and what the first new primary acknowledges until
it is told is lost.

A busy machine does so by itself, rarely. Here the first new primary is paused until a Sentinel has
told the other replica to take over, and no longer.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from backends.errors import StoreRefused, StoreUnavailable
from backends.store import RefreshStore, Token
from bench.servers.cluster import Cluster, until
from bench.servers.redis import RedisServer
from bench.servers.redis_sentinel import DOWN_AFTER_MS, NAME, SentinelServer, follows
from bench.workspace import Workspace
from tests.clusters import known, running, store_of, wait_until_answered
from tests.server_store import login

SPEC = "redis:none@sentinel"
SESSIONS_A_LOOK = 5
"""Looking takes much longer than a login where the machine is busy."""
VENDORS_MS = 30_000
"""Redis' own `down-after-milliseconds`."""
TOLD = {"wait_promotion", "reconf_slaves", "update_config"}
"""States of a failover in which another server was told to be primary."""


@pytest.mark.server("redis")
def test_a_primary_that_was_late_loses_what_it_acknowledges_next(workspace: Workspace) -> None:
    """It goes on for its clients as if nothing had happened, until it is made a replica."""

    def until_replaced(cluster: Cluster, primary: str) -> None:
        until(lambda: replaced(cluster, primary) or None, f"nobody took {primary} for down")

    before, after = acknowledged(workspace, DOWN_AFTER_MS, until_replaced)
    assert all(before)
    assert not all(after)


@pytest.mark.server("redis")
def test_sentinels_that_wait_longer_than_it_is_late_lose_nothing(workspace: Workspace) -> None:
    """A pause alone takes nothing: without a failover it is a wait."""

    def for_a_while(_cluster: Cluster, _primary: str) -> None:
        time.sleep(3 * DOWN_AFTER_MS / 1e3)

    before, after = acknowledged(workspace, VENDORS_MS, for_a_while)
    assert all(before + after)


def acknowledged(
    workspace: Workspace, patience_ms: int, pause: Callable[[Cluster, str], None]
) -> tuple[list[bool], list[bool]]:
    """Kill the primary, and pause the one that takes its place.

    Says of each session that it acknowledged whether it is there when all have settled: of those
    before the pause, and of those after it.
    """
    with running(SPEC, workspace) as (subject, cluster), store_of(subject, cluster) as store:
        killed = cluster.primary()
        cluster.members[killed].kill()
        cluster.wait_for_new_primary(killed)
        primary = cluster.primary()
        for sentinel in sentinels(cluster):
            sentinel.sentinel("SET", NAME, "down-after-milliseconds", str(patience_ms))
        before = issued_until(lambda: in_step(cluster, primary, killed), store)
        cluster.members[primary].pause()
        try:
            pause(cluster, primary)
        finally:
            cluster.members[primary].resume()
        # All look settled until the Sentinels name another: that has to be seen first.
        after: list[Token] = []
        if replaced(cluster, primary):
            after += issued_until(lambda: cluster.has_new_primary(primary), store)
        cluster.members[killed].restart()
        after += issued_until(cluster.settled, store)
        with store_of(subject, cluster) as last:
            wait_until_answered(last, before[0])
            return [known(last, one) for one in before], [known(last, one) for one in after]


def issued_until(done: Callable[[], bool], store: RefreshStore) -> list[Token]:
    """Log sessions in, one after the other, and give those that were acknowledged: one at least.

    `done` is asked between logins, and none follows once it says so. The store keeps its connection
    as long as it is answered on it.
    """
    tokens: list[Token] = []

    def step() -> bool | None:
        with suppress(StoreUnavailable, StoreRefused):
            for _ in range(SESSIONS_A_LOOK):
                tokens.append(login(store))  # noqa: PERF401 - those before an error count
        return (bool(tokens) and done()) or None

    until(step, "it did not come to pass while sessions were issued")
    return tokens


def replaced(cluster: Cluster, primary: str) -> bool:
    """Whether a Sentinel has told another to be primary in its place, or names another.

    Before that it calls a failover off if it finds no good replica, or nobody elects it.
    """
    about = [one.sentinel("MASTER", NAME) for one in sentinels(cluster)]
    return any(
        not names(one, servers(cluster)[primary]) or one.get("failover-state") in TOLD
        for one in about
    )


def in_step(cluster: Cluster, primary: str, killed: str) -> bool:
    """Whether the failover is over, and the replica that is left has all that `primary` has."""
    [replica] = [one for name, one in servers(cluster).items() if name not in {primary, killed}]
    return not replaced(cluster, primary) and follows(replica, servers(cluster)[primary])


def names(about: Mapping[str, Any], server: RedisServer) -> bool:
    """Whether a Sentinel, by what it says of the primary, takes `server` for it."""
    return (about["ip"], about["port"]) == (server.host.address, server.port)


def sentinels(cluster: Cluster) -> list[SentinelServer]:
    return [one for one in cluster.members.values() if isinstance(one, SentinelServer)]


def servers(cluster: Cluster) -> dict[str, RedisServer]:
    """All but the Sentinels, by name."""
    return {
        name: one
        for name, one in cluster.members.items()
        if isinstance(one, RedisServer) and not isinstance(one, SentinelServer)
    }
