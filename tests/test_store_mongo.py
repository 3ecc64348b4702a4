"""The MongoDB store on real servers: what holds for every server's, and what is MongoDB's own."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import bson
import pytest
from pymongo import MongoClient
from pymongo.database import Database

import backends
from backends.errors import AnswerLost, StoreRefused
from backends.mongo_documents import SKEW_MS
from backends.store import Outcome, Place, Policy, Reason, Token
from bench.servers.server import Server
from tests.server_store import (
    FAR_FUTURE_MS,
    IDLE_MS,
    NOW_MS,
    FullStore,
    ServerStore,
    digest_of,
    login,
    propose,
    refresh,
)

SUBJECT = backends.resolve("mongo")
MAJORITY = backends.resolve("mongo:majority")

Documents = Database[dict[str, Any]]


def on_a_new_database(server: Server, folder: Path) -> Iterator[tuple[Place, Documents]]:
    name = f"test-{uuid.uuid4().hex}"
    url = urlsplit(server.url)._replace(path=f"/{name}").geturl()
    with MongoClient[dict[str, Any]](url) as client:
        yield Place(folder, url), client[name]
        client.drop_database(name)


@pytest.fixture
def fresh(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[tuple[Place, Documents]]:
    yield from on_a_new_database(start_server("mongo", SUBJECT.profile.server), tmp_path)


@pytest.fixture
def place(fresh: tuple[Place, Documents]) -> Place:
    return fresh[0]


@pytest.fixture
def documents(fresh: tuple[Place, Documents]) -> Documents:
    return fresh[1]


@pytest.fixture
def store(place: Place) -> Iterator[FullStore]:
    SUBJECT.prepare(place)
    opened = SUBJECT.open(place, Policy())
    yield opened  # type: ignore[misc]
    opened.close()


class TestMongo(ServerStore):
    spec = "mongo"
    rotation_on_the_wire = b"findAndModify"
    bounds: ClassVar[Mapping[str, float]] = {
        "backends.mongo_client.ANSWER_MS": 500,
        "backends.mongo_client.CONNECT_MS": 1_500,
    }

    @pytest.fixture(scope="class")
    @classmethod
    def place(
        cls, start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Place]:
        """One database for all: creating its files takes longer than most tests."""
        server = start_server("mongo", backends.resolve(cls.spec).profile.server)
        for place, _ in on_a_new_database(server, tmp_path_factory.mktemp("mongo")):
            yield place


class TestMongoMajority(TestMongo):
    spec = "mongo:majority"
    many_sessions = 1_000


def test_preparing_twice_is_fine(place: Place) -> None:
    """Indexes that are there stay as they are."""
    SUBJECT.prepare(place)
    SUBJECT.prepare(place)


def test_rotation_changes_no_index(store: FullStore, documents: Documents) -> None:
    """No indexed field moves when a session is rotated, so a rotation writes no index."""
    token = login(store)
    before = documents["sessions"].find_one()
    assert isinstance(refresh(store, token), Token)
    after = documents["sessions"].find_one()
    assert before is not None
    assert after is not None
    changed = {name for name in after if after[name] != before[name]}
    indexed = {
        field.partition(".")[0]
        for index in documents["sessions"].index_information().values()
        for field, _ in index["key"]
    }
    assert "generation" in changed
    assert changed.isdisjoint(indexed)


def test_a_refused_token_writes_nothing(store: FullStore, documents: Documents) -> None:
    """Where nothing changes the server is asked for one operation and modifies no document."""
    token = login(store)
    forged = token._replace(digest=digest_of("forged"))
    before = documents["sessions"].find_one()
    assert store.rotate(forged, propose(), "phone", NOW_MS).outcome is Outcome.UNKNOWN
    assert store.rotate(token, propose(), "$device", NOW_MS).outcome is Outcome.DEVICE_MISMATCH
    assert store.rotate(token, propose(), "phone", 2 * NOW_MS).outcome is Outcome.EXPIRED
    assert documents["sessions"].find_one() == before


@pytest.mark.parametrize("at_ms", [0, NOW_MS, FAR_FUTURE_MS])
def test_the_ttl_index_waits_for_what_remains(
    store: FullStore, documents: Documents, at_ms: int
) -> None:
    """A session or denial may be reclaimed an hour after its last expiry, counted from the
    server's present whatever the caller's clock says."""
    login(store, at_ms=at_ms)
    store.deny(b"d" * 32, NOW_MS)
    [remaining] = documents["sessions"].aggregate(
        [{"$project": {"ms": {"$subtract": ["$reclaim_at", "$$NOW"]}}}]
    )
    assert 3 * IDLE_MS < remaining["ms"] <= 3 * IDLE_MS + SKEW_MS
    [remaining] = documents["denials"].aggregate(
        [{"$project": {"ms": {"$subtract": ["$reclaim_at", "$$NOW"]}}}]
    )
    assert remaining["ms"] > 0
    ttl = {
        name: index["expireAfterSeconds"]
        for collection in ("sessions", "denials", "subject_revocations")
        for name, index in documents[collection].index_information().items()
        if "expireAfterSeconds" in index
    }
    assert ttl == {"reclaim_at_1": 0, "at_1": 3600}


def test_sweep_is_bounded(store: FullStore) -> None:
    """At most `limit` sessions go at a time, only past their idle expiry, and none for a limit
    of 0."""
    assert isinstance(store, backends.store.Sweeps)
    early = [login(store) for _ in range(5)]
    late = login(store, at_ms=NOW_MS + 1)
    now_ms = NOW_MS + IDLE_MS
    assert [store.sweep(now_ms, limit) for limit in (0, 3, 3, 3)] == [0, 3, 2, 0]
    for token in early:
        assert store.sessions(token.family.subject) == []
    assert store.verify(late, "phone", now_ms).outcome is Outcome.VALID


def test_sweep_removes_past_denials(store: FullStore) -> None:
    """A denial stands as long as the token it denies, and goes after it."""
    assert isinstance(store, backends.store.Sweeps)
    store.deny(b"d" * 32, NOW_MS)
    store.sweep(NOW_MS, 10)
    assert store.is_denied(b"d" * 32)
    store.sweep(NOW_MS + 1, 10)
    assert not store.is_denied(b"d" * 32)


def test_a_refused_write_is_refused(store: FullStore, documents: Documents) -> None:
    """What the server won't do is known as not done."""
    token = login(store)
    documents.command("collMod", "sessions", validator={"$expr": False})
    with pytest.raises(StoreRefused):
        store.rotate(token, propose(), "phone", NOW_MS)
    with pytest.raises(StoreRefused):
        login(store)
    with pytest.raises(StoreRefused):
        store.revoke(token.family, Reason.LOGOUT, NOW_MS)
    # Its first step was taken, so it can't be called not executed.
    with pytest.raises(AnswerLost):
        store.revoke_subject(token.family.subject, Reason.LOGOUT, NOW_MS)
    documents.command("collMod", "sessions", validator={})
    assert isinstance(refresh(store, token), Token)


def test_a_missing_guarantee_is_an_answer_lost(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """A write that was executed on too few members is neither acknowledged nor called failed."""
    server = start_server("mongo", MAJORITY.profile.server)
    wants: Mapping[str, str] = {**MAJORITY.profile.client, "w": "2"}
    for place, _ in on_a_new_database(server, tmp_path):
        plain = MAJORITY.open(place, Policy())
        token, successor = login(plain), propose()
        strict = MAJORITY.backend.open(place, replace(MAJORITY.profile, client=wants), Policy())
        with pytest.raises(AnswerLost):
            strict.rotate(token, successor, "phone", NOW_MS)
        found = plain.verify(token, "phone", NOW_MS).session
        assert found is not None
        assert found.digest == successor.digest
        strict.close()
        plain.close()


def test_a_family_is_never_overwritten(store: FullStore) -> None:
    """The second issue of a family changes nothing, not even for a subject ended meanwhile."""
    token = login(store)
    store.revoke_subject(token.family.subject, Reason.ADMIN, NOW_MS, token.family.id)
    login(store, token.family)
    assert store.verify(token, "phone", NOW_MS).outcome is Outcome.VALID


def test_no_jti_is_kept(store: FullStore, documents: Documents) -> None:
    """A token's identifier is in no document, only its digest."""
    jti = "a-secret-identifier"
    token = login(store)
    store.rotate(token, propose()._replace(digest=digest_of(jti)), "phone", NOW_MS)
    store.deny(digest_of(jti), NOW_MS)
    store.revoke_subject(token.family.subject, Reason.ADMIN, NOW_MS)
    kept = [
        bson.encode(found)
        for name in documents.list_collection_names()
        for found in documents[name].find()
    ]
    assert len(kept) == 3
    assert not [one for one in kept if jti.encode() in one]
    assert len([one for one in kept if digest_of(jti) in one]) == 2


def test_the_driver_retries_nothing(place: Place) -> None:
    """Not even where the URL asks for it."""
    url = f"{place.url}&retryWrites=true&retryReads=true"
    store = SUBJECT.open(Place(place.directory, url), Policy())
    options = store._client.options  # type: ignore[attr-defined]
    assert (options.retry_writes, options.retry_reads) == (False, False)
    store.close()
