"""Which errors are known to be definite, driver by driver, on the real drivers and servers.

A history calls an operation `fail` only where it is known not to have been executed. Each case
breaks something, makes one rotation, mends it, and looks whether the rotation was executed.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
import redis
from pymongo import MongoClient

import backends
from backends.store import Place, Policy, RefreshStore
from bench.faults.proxy import Proxy, address
from bench.load.attempt import attempt
from bench.servers.server import Server
from tests.server_store import NOW_MS, login, propose

METHOD = Path(__file__).parent.parent / "docs" / "method.md"
Executed = Literal["no", "yes"]


@dataclass(frozen=True, slots=True)
class Bench:
    """What a case can break."""

    server: Server
    proxy: Proxy


Break = Callable[[Bench], Any]
"""A context manager: broken inside of it."""


@contextmanager
def refused_connection(bench: Bench) -> Iterator[None]:
    bench.proxy.refuse()
    yield
    bench.proxy.accept()


@contextmanager
def lost_answer(bench: Bench) -> Iterator[None]:
    bench.proxy.drop_next_reply(matching=b"meant")
    yield
    assert bench.proxy.dropped == 1


@contextmanager
def full_memory(bench: Bench) -> Iterator[None]:
    with redis.Redis.from_url(bench.server.url) as admin:
        admin.config_set("maxmemory", 1)
        yield
        admin.config_set("maxmemory", 0)


@contextmanager
def replica(bench: Bench) -> Iterator[None]:
    with redis.Redis.from_url(bench.server.url) as admin:
        admin.replicaof("127.0.0.1", "1")
        yield
        admin.replicaof("NO", "ONE")


@contextmanager
def constraint(bench: Bench) -> Iterator[None]:
    with psycopg.connect(bench.server.url, autocommit=True) as admin:
        admin.execute(
            "ALTER TABLE refresh_session ADD CONSTRAINT never CHECK (generation < 1) NOT VALID"
        )
        yield
        admin.execute("ALTER TABLE refresh_session DROP CONSTRAINT never")


@contextmanager
def serialization_failure(bench: Bench) -> Iterator[None]:
    with psycopg.connect(bench.server.url, autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE SQLSTATE '40001'; END $$"
        )
        admin.execute(
            "CREATE TRIGGER lose BEFORE UPDATE ON refresh_session EXECUTE FUNCTION lose()"
        )
        yield
        admin.execute("DROP FUNCTION lose CASCADE")


@contextmanager
def validation(bench: Bench) -> Iterator[None]:
    with MongoClient[Any](bench.server.url) as admin:
        database = admin.get_default_database("refreshbench")
        database.command("collMod", "sessions", validator={"$expr": False})
        yield
        database.command("collMod", "sessions", validator={})


@contextmanager
def no_primary(bench: Bench) -> Iterator[None]:
    with MongoClient[Any](bench.server.url, directConnection=True) as admin:
        admin.admin.command("replSetStepDown", 2, force=True)
        yield
        admin.admin.command("replSetFreeze", 0)
        while not admin.admin.command("hello")["isWritablePrimary"]:
            pass


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that goes wrong, and what a rotation amid it must be told to be."""

    what: str
    broken: Break
    spec: str
    says: str
    """The answer, or the error's name."""
    counts: Literal["ok", "fail", "unknown"]
    executed: Executed


REDIS, REDIS_PY = "redis:none", "redis-py:none"
POSTGRES = ("postgres:async", "postgres-psycopg:async", "postgres-sqlalchemy:async")
MONGO, RETRYING = "mongo:majority", "mongo-pymongo:majority"
NO_CONNECTION, LOST = "connection refused", "answer lost"
CASES = [
    Case(NO_CONNECTION, refused_connection, REDIS, "NotSent", "fail", "no"),
    Case(LOST, lost_answer, REDIS, "AnswerLost", "unknown", "yes"),
    Case("OOM: memory is full", full_memory, REDIS, "StoreRefused", "fail", "no"),
    Case("READONLY: a replica", replica, REDIS, "StoreRefused", "fail", "no"),
    Case(NO_CONNECTION, refused_connection, REDIS_PY, "AnswerLost", "unknown", "no"),
    Case(LOST, lost_answer, REDIS_PY, "reused", "ok", "yes"),
    Case("OOM: memory is full", full_memory, REDIS_PY, "StoreRefused", "fail", "no"),
    Case("READONLY: a replica", replica, REDIS_PY, "StoreRefused", "fail", "no"),
    *(
        case
        for spec in POSTGRES
        for case in (
            Case(NO_CONNECTION, refused_connection, spec, "NotSent", "fail", "no"),
            Case(LOST, lost_answer, spec, "AnswerLost", "unknown", "yes"),
            Case("23514: a constraint", constraint, spec, "StoreRefused", "fail", "no"),
            Case("40001: serialization", serialization_failure, spec, "StoreRefused", "fail", "no"),
        )
    ),
    *(
        case
        for spec in (MONGO, RETRYING)
        for case in (
            Case("121: validation", validation, spec, "StoreRefused", "fail", "no"),
            Case("10107: NotWritablePrimary", no_primary, spec, "StoreRefused", "fail", "no"),
        )
    ),
    Case(NO_CONNECTION, refused_connection, MONGO, "NotSent", "fail", "no"),
    Case(LOST, lost_answer, MONGO, "AnswerLost", "unknown", "yes"),
    Case(LOST, lost_answer, RETRYING, "rotated", "ok", "yes"),
]


@pytest.fixture
def bench(request: pytest.FixtureRequest, start_server: Callable[..., Server]) -> Iterator[Bench]:
    subject = backends.resolve(request.param)
    server = start_server(subject.backend.server, subject.profile.server)
    with Proxy(*address(server.url)) as proxy:
        yield Bench(server, proxy)


@pytest.mark.parametrize(
    ("case", "bench"),
    [(case, case.spec) for case in CASES],
    indirect=["bench"],
    ids=[f"{case.spec} {case.what}" for case in CASES],
)
def test_what_an_error_counts_as(case: Case, bench: Bench, tmp_path: Path) -> None:
    """Only what is known not to have been executed is `fail`; and it truly was not."""
    subject = backends.resolve(case.spec)
    place = Place(tmp_path, bench.server.url)
    subject.prepare(place)
    with ExitStack() as ends:
        direct = ends.enter_context(opened(subject, place))
        store = ends.enter_context(opened(subject, on_one_server(place, bench.proxy)))
        if case.what != NO_CONNECTION:
            # Connected, its scripts loaded and its statements prepared.
            store.rotate(login(store), propose(), "phone", NOW_MS)
        token = login(direct, backends.store.Family("meant", f"meant-{case.spec}-{case.what}"))
        with case.broken(bench):
            said = attempt(lambda: store.rotate(token, propose(), "phone", NOW_MS).outcome)
        assert (said.outcome, said.status) == (case.says, case.counts)
        session = direct.verify(token, "phone", NOW_MS).session
        assert session is not None
        assert ("yes" if session.generation else "no") == case.executed


@contextmanager
def opened(subject: backends.Subject, place: Place) -> Iterator[RefreshStore]:
    store = subject.open(place, Policy())
    try:
        yield store
    finally:
        store.close()


def on_one_server(place: Place, proxy: Proxy) -> Place:
    """Go through the proxy, and past what a MongoDB says of its own address."""
    assert place.url is not None
    url = proxy.reroute(place.url)
    if url.startswith("mongodb"):
        url = re.sub(r"\?.*", "", url).rstrip("/") + "/?directConnection=true"
    return Place(place.directory, url)


def table() -> str:
    """Write the cases as the table in docs/method.md."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for case in CASES:
        key = case.what, case.says, case.counts, case.executed
        rows.setdefault(key, []).append(case.spec.partition(":")[0])
    lines = [
        "| what went wrong | driver | it says | counts as | executed |",
        "|---|---|---|---|---|",
    ]
    for (what, says, counts, executed), specs in rows.items():
        lines.append(f"| {what} | {', '.join(specs)} | `{says}` | {counts} | {executed} |")
    return "\n".join(lines)


def test_the_documented_table_is_what_is_tested() -> None:
    """docs/method.md has the cases of this file, no more and no fewer."""
    text = METHOD.read_text()
    begin, end = "<!-- definite errors: begin -->\n", "\n<!-- definite errors: end -->"
    assert text.partition(begin)[2].partition(end)[0] == table(), table()
