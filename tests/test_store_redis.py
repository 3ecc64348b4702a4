"""The Redis store on real servers: what holds for every server's, and what is Redis' own."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from redis import Redis
from redis.crc import key_slot

import backends
from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.redis import ROTATE, SKEW_MS
from backends.redis_connections import Connections
from backends.redis_hashes import FIELDS
from backends.store import Family, Outcome, Place, Policy, Reason, Sweeps, Token
from bench.servers.process import Port
from bench.servers.server import Server
from tests.server_store import (
    IDLE_MS,
    NOW_MS,
    FullStore,
    ServerStore,
    digest_of,
    login,
    propose,
    refresh,
)

HOUR_MS = 3_600_000
SUBJECT = backends.resolve("redis")


@pytest.fixture
def place(start_server: Callable[..., Server], tmp_path: Path) -> Place:
    return Place(tmp_path, start_server("redis", SUBJECT.profile.server).url)


class TestRedis(ServerStore):
    spec = "redis"
    rotation_on_the_wire = ROTATE.sha.encode()
    bounds: ClassVar[Mapping[str, float]] = {"backends.redis_connections.ANSWER_SECONDS": 0.5}


@pytest.fixture
def server(fresh_server: Callable[..., Server]) -> Server:
    """A server of the test's own."""
    return fresh_server("redis", SUBJECT.profile.server)


@pytest.fixture
def admin(server: Server) -> Iterator[Any]:
    with Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def store(server: Server, tmp_path: Path) -> Iterator[FullStore]:
    opened = SUBJECT.open(Place(tmp_path, server.url), Policy())
    yield opened  # type: ignore[misc]
    opened.close()


def whole_life(store: FullStore, subject: str) -> None:
    """Do every kind of write for one subject."""
    for number in range(3):
        assert isinstance(refresh(store, login(store, Family(subject, str(number)))), Token)
    store.revoke(Family(subject, "0"), Reason.LOGOUT, NOW_MS)
    store.revoke_subject(subject, Reason.ADMIN, NOW_MS)


def test_scripts_and_fields_agree(store: FullStore, admin: Any) -> None:
    """The scripts write just those fields that the store reads."""
    token = login(store)
    successor = refresh(store, token)
    assert isinstance(successor, Token)
    assert refresh(store, token) is Outcome.REUSED
    [key] = admin.keys("rt:*:*")
    assert {name.decode() for name in admin.hgetall(key)} == set(FIELDS)
    assert admin.object("encoding", key) == b"listpack"


def test_a_lost_script_cache_is_filled_again(store: FullStore, admin: Any) -> None:
    """A server that forgot its scripts is given them again, and each runs once."""
    token = login(store)
    admin.script_flush()
    successor = refresh(store, token)
    assert isinstance(successor, Token)
    found = store.verify(successor, "phone", NOW_MS)
    assert found.outcome is Outcome.VALID


def test_a_killed_connection_is_replaced(store: FullStore, admin: Any) -> None:
    """CLIENT KILL costs one call at most."""
    token = login(store)
    admin.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(AnswerLost):
        store.verify(token, "phone", NOW_MS)
    assert store.verify(token, "phone", NOW_MS).outcome is Outcome.VALID


def test_threads_that_end_leave_no_connection(store: FullStore, admin: Any) -> None:
    """As many connections as calls at one time, not as threads that ever called; none after
    close."""
    for _ in range(20):
        thread = threading.Thread(target=login, args=(store,))
        thread.start()
        thread.join()
    assert admin.info("clients")["connected_clients"] == 2
    store.close()
    assert admin.info("clients")["connected_clients"] == 1


def test_calls_beyond_every_connection_are_not_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each connection is taken, one more call is known as not executed."""
    monkeypatch.setattr("backends.redis_connections.MOST_CONNECTIONS", 1)
    connections = Connections(server.url)
    taken = connections._connected()
    with pytest.raises(NotSent):
        connections.exchange("PING")
    taken.disconnect()
    connections.close()


def test_keys_of_a_subject_share_a_slot(store: FullStore, admin: Any) -> None:
    """Whatever the subject's name holds, a cluster keeps all its keys on one node."""
    for subject in ("plain", "{", "}", "{}", "a{b}c", "\0", "x" * 10_000):
        whole_life(store, subject)
        keys = admin.keys()
        assert len(keys) == 5
        assert {key_slot(key) for key in keys} == {key_slot(keys[0])}
        assert max(map(len, keys)) < 64
        admin.flushdb()


def test_scripts_run_on_a_cluster(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    """A node of a cluster, which refuses a script that leaves its slot, runs all of them."""
    # By default it is 10000 above the server's own, which a high port has no room for.
    bus = Port()
    server = fresh_server("redis", {"cluster-enabled": "yes", "cluster-port": str(bus.number)})
    store: Any = SUBJECT.open(Place(tmp_path, server.url), Policy())
    with Redis.from_url(server.url) as admin:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        give_up = time.monotonic() + 60
        while b"cluster_state:ok" not in admin.execute_command("CLUSTER", "INFO"):
            assert time.monotonic() < give_up
            time.sleep(0.05)
    for subject in ("alice", "{bob}"):
        whole_life(store, subject)
        reasons = {session.revoked_reason for session in store.sessions(subject)}
        assert reasons == {Reason.LOGOUT, Reason.ADMIN}
    store.deny(b"d" * 32, NOW_MS)
    assert store.is_denied(b"d" * 32)
    store.close()
    bus.release()


def test_everything_is_reclaimed(store: FullStore, admin: Any) -> None:
    """Each key has a deadline: a session a little after its idle expiry, its index after it."""
    whole_life(store, "subject")
    store.deny(b"d" * 32, NOW_MS)
    kept_ms = {key: admin.pttl(key) for key in admin.scan_iter()}
    assert min(kept_ms.values()) > 0
    sessions = [ms for key, ms in kept_ms.items() if key.count(b":") == 2]
    assert len(sessions) == 3
    assert all(IDLE_MS < ms <= IDLE_MS + SKEW_MS for ms in sessions)
    [index] = [ms for key, ms in kept_ms.items() if key.startswith(b"rt:") and key.endswith(b"}")]
    assert 3 * IDLE_MS < index <= 3 * IDLE_MS + SKEW_MS
    assert not isinstance(store, Sweeps)


@pytest.mark.parametrize("at_ms", [0, NOW_MS // 2, 2**52])
def test_a_deadline_is_what_remains_by_the_caller(store: FullStore, admin: Any, at_ms: int) -> None:
    """A caller whose clock is decades off loses no session, no rotation and no denial."""
    token = login(store, at_ms=at_ms)
    successor = refresh(store, token, at_ms + IDLE_MS // 2)
    assert isinstance(successor, Token)
    [key] = admin.keys("rt:*:*")
    assert IDLE_MS < admin.pttl(key) <= IDLE_MS + SKEW_MS
    found = store.verify(successor, "phone", at_ms + IDLE_MS)
    assert found.session is not None
    assert found.session.idle_expires_at_ms == at_ms + IDLE_MS // 2 + IDLE_MS
    store.deny(b"d" * 32, at_ms)
    assert store.is_denied(b"d" * 32)


def test_a_later_denial_does_not_shorten_an_earlier(store: FullStore, admin: Any) -> None:
    """The entry outlives the latest expiry it was ever given."""
    digest = digest_of("denied")
    store.deny(digest, 2**50)
    store.deny(digest, NOW_MS)
    [key] = admin.keys("rt-denied:*")
    assert admin.pexpiretime(key) >= 2**50


def test_dead_families_leave_the_index(store: FullStore, admin: Any) -> None:
    """A subject that logs in for ever has an index of about its living sessions."""
    subject = uuid.uuid4().hex
    alive = login(store, Family(subject, "alive"))
    for number in range(200):
        login(store, Family(subject, str(number)))
        # As its TTL would.
        [key] = admin.keys(f"rt:*:{number}")
        admin.delete(key)
    [index] = [key for key in admin.keys("rt:*") if key.endswith(b"}")]
    assert admin.scard(index) < 20
    assert [session.family for session in store.sessions(subject)] == [alive.family]
    store.revoke_subject(subject, Reason.ADMIN, NOW_MS)
    assert admin.smembers(index) == {b"alive"}


def test_full_memory_refuses_whole_operations(store: FullStore, admin: Any) -> None:
    """A server that is full refuses to issue and rotate, changes nothing, and still revokes."""
    token = login(store)
    assert refresh(store, login(store)) is not None
    before = store.verify(token, "phone", NOW_MS)
    admin.config_set("maxmemory", 1)
    with pytest.raises(StoreRefused, match="maxmemory"):
        store.rotate(token, propose(), "phone", NOW_MS)
    with pytest.raises(StoreRefused, match="maxmemory"):
        login(store, Family(token.family.subject, "another"))
    with pytest.raises(StoreRefused, match="maxmemory"):
        store.deny(b"d" * 32, NOW_MS)
    assert store.verify(token, "phone", NOW_MS) == before
    assert len(store.sessions(token.family.subject)) == 1
    store.revoke(token.family, Reason.LOGOUT, NOW_MS)
    store.revoke_subject(token.family.subject, Reason.ADMIN, NOW_MS)
    assert store.verify(token, "phone", NOW_MS).outcome is Outcome.REVOKED


def test_a_replica_refuses(store: FullStore, admin: Any) -> None:
    """A server that was made a replica refuses every write, as definitely not executed."""
    token = login(store)
    assert isinstance(refresh(store, login(store)), Token)
    admin.replicaof("127.0.0.1", "1")
    with pytest.raises(StoreRefused, match="read only"):
        store.rotate(token, propose(), "phone", NOW_MS)
    with pytest.raises(StoreRefused):
        store.revoke(token.family, Reason.LOGOUT, NOW_MS)
    admin.replicaof("NO", "ONE")
    assert isinstance(refresh(store, token), Token)


def test_no_jti_and_no_subject_is_kept(store: FullStore, admin: Any) -> None:
    """Neither a token's identifier nor a subject's name is in any key or value."""
    token = login(store, Family("alice@example.org", "f"))
    jti = "a-secret-identifier"
    store.rotate(token, propose()._replace(digest=digest_of(jti)), "phone", NOW_MS)
    store.deny(digest_of(jti), NOW_MS)
    kept = [key + repr(admin.dump(key)).encode() for key in admin.scan_iter()]
    assert len(kept) == 3
    assert not [one for one in kept if jti.encode() in one or b"alice" in one]
    assert [one for one in kept if b"rt-denied:" + digest_of(jti) in one]


def test_a_url_may_ask_for_resp3_and_retries(server: Server, tmp_path: Path) -> None:
    """Options in a URL reach the driver; what would retry stays off."""
    place = Place(tmp_path, f"{server.url}?protocol=3&retry_on_timeout=true")
    store = SUBJECT.open(place, Policy())
    try:
        assert store.settings() == SUBJECT.profile.server  # type: ignore[attr-defined]
        [connection] = store._connections._idle  # type: ignore[attr-defined]
        assert connection.retry.get_retries() == 0
        assert isinstance(refresh(store, login(store)), Token)
    finally:
        store.close()
