"""How members act as one is read back from them, and a trial doesn't begin where it isn't so."""

from typing import Any

import pytest
from psycopg import sql

from bench.errors import Failed
from bench.servers.cluster import until
from bench.servers.mongo_replica_set import MongoReplicaSet
from bench.servers.postgres_replica import PostgresReplica
from bench.servers.redis_cluster import RedisCluster
from bench.servers.redis_sentinel import NAME, RedisSentinel, SentinelServer
from bench.workspace import Workspace
from tests.clusters import running

WAITED_FOR = "synchronous_standby_names"


@pytest.mark.server("postgres")
@pytest.mark.parametrize(
    ("topology", "waited_for"), [("replica", ""), ("replica-on", '"postgres-1"')]
)
def test_whom_a_commit_waits_for_is_read_back(
    topology: str, waited_for: str, workspace: Workspace
) -> None:
    """It is all that tells these two apart; a trial of one isn't taken for the other."""
    with running(f"postgres:sync@{topology}", workspace) as (_, pair):
        assert pair.joined() == {WAITED_FOR: waited_for}
        assert isinstance(pair, PostgresReplica)
        [primary, _] = pair.members.values()
        with primary.connection() as connection:  # type: ignore[attr-defined]
            connection.autocommit = True
            connection.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = 'other'"))
            connection.execute("SELECT pg_reload_conf()")
        # Each process takes it over when it comes to it.
        until(lambda: pair.read_joining() != [{WAITED_FOR: waited_for}] or None, "nothing changed")
        with pytest.raises(Failed, match=r"synchronous_standby_names is .*other"):
            pair.joined()


@pytest.mark.server("redis")
@pytest.mark.parametrize(("topology", "least"), [("sentinel", "0"), ("sentinel-min1", "1")])
def test_what_sentinels_watch_for_is_read_back(
    topology: str, least: str, workspace: Workspace
) -> None:
    """From each of them, and what a primary without replicas does from each that may be one."""
    with running(f"redis:none@{topology}", workspace) as (_, trio):
        assert isinstance(trio, RedisSentinel)
        found = trio.joined()
        assert (found["down-after-milliseconds"], found["quorum"]) == ("1000", "2")
        assert found["min-replicas-to-write"] == least
        last = [one for one in trio.members.values() if isinstance(one, SentinelServer)][-1]
        last.sentinel("SET", NAME, "down-after-milliseconds", "30000")
        with pytest.raises(Failed, match=r"down-after-milliseconds is .*30000"):
            trio.joined()


@pytest.mark.server("redis")
def test_when_a_node_is_missed_is_read_back(workspace: Workspace) -> None:
    """From every node of a cluster."""
    with running("redis:none@cluster", workspace) as (_, nodes):
        assert isinstance(nodes, RedisCluster)
        assert nodes.joined()["cluster-node-timeout"] == "1000"
        assert nodes.joined()["min-replicas-to-write"] == "0"


@pytest.mark.server("mongo")
def test_when_an_election_is_held_is_read_back(workspace: Workspace) -> None:
    """From every member; and whether one may follow another that isn't primary."""
    with running("mongo:w1@rs3", workspace) as (_, trio):
        assert isinstance(trio, MongoReplicaSet)
        assert trio.joined() == {
            "electionTimeoutMillis": "1000",
            "heartbeatIntervalMillis": "200",
            "heartbeatTimeoutSecs": "1",
            "chainingAllowed": "true",
        }
        with trio.members[trio.primary()].client() as client:  # type: ignore[attr-defined]
            admin: Any = client.admin
            wanted = admin.command("replSetGetConfig")["config"]
            wanted["version"] += 1
            wanted["settings"]["electionTimeoutMillis"] = 2_000
            admin.command("replSetReconfig", wanted)
        with pytest.raises(Failed, match=r"electionTimeoutMillis is .*2000"):
            trio.joined()
