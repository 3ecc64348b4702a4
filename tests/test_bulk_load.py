"""A bulk load leaves what issuing one by one leaves, on every store that has one."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
import redis

import backends
from backends.memory import MemoryStore
from backends.store import (
    Family,
    Lists,
    Loads,
    Outcome,
    Place,
    Policy,
    Reason,
    RefreshStore,
    Revokes,
    Session,
)
from bench.conform.stored import redis_expiries
from bench.servers.server import Server
from tests.server_store import NOW_MS, propose, token_of

SPECS = (
    "memory",
    "files:fsync",
    "files:nofsync",
    "sqlite",
    "sqlite:delete-full",
    "postgres",
    "postgres-sqlalchemy",
    "redis:none",
    "mongo:w1",
)


class FullStore(RefreshStore, Revokes, Lists, Loads, Protocol):
    """What the stores under test have."""


def session(subject: str, family: str, issued_at_ms: int = NOW_MS) -> Session:
    return Session(
        family=Family(subject, family),
        client="web",
        device="phone",
        issued_at_ms=issued_at_ms,
        idle_expires_at_ms=NOW_MS + 86_400_000,
        absolute_expires_at_ms=NOW_MS + 3 * 86_400_000,
        digest=uuid.uuid4().bytes * 2,
    )


@pytest.fixture(params=SPECS)
def place_and_store(
    request: pytest.FixtureRequest, tmp_path: Path, start_server: Callable[..., Server]
) -> Iterator[tuple[Place, FullStore]]:
    subject = backends.resolve(request.param)
    kind = subject.backend.server
    url = start_server(kind, subject.profile.server).url if kind else None
    place = Place(tmp_path, url)
    subject.prepare(place)
    store = subject.open(place, Policy())
    yield place, store  # type: ignore[misc]
    store.close()


@pytest.fixture
def store(place_and_store: tuple[Place, FullStore]) -> FullStore:
    return place_and_store[1]


def history(name: str) -> tuple[Sequence[Session], Sequence[Session]]:
    """Give sessions that are there before, and those to load: all that `issue` has to mind."""
    crowd = [session(f"{name}-{n // 4}", f"{n}") for n in range(200)]
    before = [session(f"{name}-old", "1"), session(f"{name}-ended", "1")]
    taken = replace(before[0], digest=bytes(32))
    load = [
        *crowd,
        session(f"{name}-ended", "2"),
        session(f"{name}-ended", "3", NOW_MS + 10),
        session(f"{name}-ended", "4", NOW_MS + 11),
        taken,
        session(f"{name}-twice", "1"),
        session(f"{name}-\N{SNOWMAN}\0" * 200, "long" * 500),
    ]
    return before, [*load, replace(load[-2], digest=bytes(32))]


def sessions_of(store: Lists, subjects: set[str]) -> list[Session]:
    found = [one for subject in subjects for one in store.sessions(subject)]
    return sorted(found, key=lambda one: one.family)


def test_a_load_leaves_the_state_that_issuing_leaves(store: FullStore) -> None:
    """Families kept, ended subjects heeded, nothing overwritten, and the new ones counted."""
    name = uuid.uuid4().hex
    before, load = history(name)
    model = MemoryStore(Policy())
    for one in (store, model):
        for held in before:
            one.issue(held)
        one.revoke_subject(f"{name}-ended", Reason.ADMIN, NOW_MS + 10)
    for held in load:
        model.issue(held)

    assert store.load(iter(load)) == len(load) - 2

    subjects = {one.family.subject for one in (*before, *load)}
    assert sessions_of(store, subjects) == sessions_of(model, subjects)
    again = store.rotate(token_of(load[0]), propose(), "phone", NOW_MS)
    assert again.outcome is Outcome.ROTATED


def test_a_load_with_nothing_in_the_way_takes_the_fast_road_to_the_same_state(
    store: FullStore,
) -> None:
    """More than a batch, no family there, no subject ended."""
    name = uuid.uuid4().hex
    load = [session(f"{name}-{n // 4}", f"{n}") for n in range(6_000)]

    assert store.load(iter(load)) == 6_000

    subjects = {one.family.subject for one in load[:40]} | {load[-1].family.subject}
    expected = [one for one in load if one.family.subject in subjects]
    assert sessions_of(store, subjects) == sorted(expected, key=lambda one: one.family)


def test_nothing_to_load_is_no_error(store: FullStore) -> None:
    assert store.load(iter([])) == 0


def test_redis_keeps_a_loaded_session_as_long_as_an_issued_one(
    tmp_path: Path, start_server: Callable[..., Server]
) -> None:
    """Field by field and key by key: names, values, and when each of them goes."""
    subject = backends.resolve("redis:none")
    place = Place(tmp_path, start_server("redis", subject.profile.server).url)
    store = subject.open(place, Policy())
    assert isinstance(store, Loads)
    assert place.url is not None
    left = []
    for put in (store.issue, lambda one: store.load([one])):
        with redis.Redis.from_url(place.url) as client:
            client.flushdb()
            for family in ("1", "2"):
                put(replace(session("someone", family), digest=bytes(32)))
            expiries = redis_expiries(place)
            left.append(
                {
                    key: client.hgetall(key) if key.count(b":") > 1 else client.smembers(key)
                    for key in expiries
                }
            )
            left.append({key: round(at_ms, -4) for key, at_ms in expiries.items()})
    store.close()
    issued, issued_until, loaded, loaded_until = left
    assert loaded == issued
    assert all(abs(at - issued_until[key]) <= 10_000 for key, at in loaded_until.items())
