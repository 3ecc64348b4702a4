"""Both PostgreSQL stores: what holds for every server's store, and what is PostgreSQL's own."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest

import backends
from backends import postgres, postgres_connection
from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.memory import LATEST_ISSUE_MS
from backends.sql import FIND, LONGEST_KEY, SESSIONS
from backends.statements import Statement
from backends.store import Family, Outcome, Place, Policy, Reason, Sweeps, Token
from bench.servers.server import Server
from tests.server_store import (
    IDLE_MS,
    NOW_MS,
    RACERS,
    FullStore,
    ServerStore,
    login,
    propose,
    refresh,
)

Admin = psycopg.Connection[Any]
LIVE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


@pytest.fixture
def place(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Place]:
    """A schema of the test's own, on the server that all share."""
    server = start_server("postgres", backends.resolve("postgres").profile.server)
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
    # What the caller's own options say must not undo what the stores rely on.
    options = f"-csearch_path%3D{schema}%20-cdefault_transaction_isolation%3Dserializable"
    url = f"{server.url}?application_name={schema}&options={options}"
    yield Place(tmp_path, url)
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def admin(place: Place) -> Iterator[Admin]:
    """Someone else's connection to the same schema."""
    assert place.url is not None
    with psycopg.connect(place.url, autocommit=True) as connection:
        yield connection


class Both(ServerStore):
    """The tests of one lane."""

    bounds: ClassVar[Mapping[str, float]] = {"backends.postgres_connection.ANSWER_SECONDS": 0.5}
    many_sessions = 3_000

    def test_racers_in_grace_get_one_successor(self, open_store: Callable[..., FullStore]) -> None:
        """Whoever lost the race inside the window is told the winner's successor."""
        store = open_store(Policy(grace_ms=5_000))
        with ThreadPoolExecutor(RACERS) as threads:
            for _ in range(10):
                token, barrier = login(store), threading.Barrier(RACERS)

                def race(token: Token = token, barrier: threading.Barrier = barrier) -> Any:
                    successor = propose()
                    barrier.wait()
                    return store.rotate(token, successor, "phone", NOW_MS)

                answers = [run.result() for run in [threads.submit(race) for _ in range(RACERS)]]
                assert Counter(answer.outcome for answer in answers) == {
                    Outcome.ROTATED: 1,
                    Outcome.GRACE: RACERS - 1,
                }
                assert len({answer.successor for answer in answers}) == 1

    def test_rotations_are_hot(self, store: FullStore, admin: Admin) -> None:
        """A rotation touches no index: at least 80% of them leave the row's page as it is found."""
        tokens = [login(store) for _ in range(100)]
        for _ in range(10):
            rotated = [refresh(store, token) for token in tokens]
            tokens = [token for token in rotated if isinstance(token, Token)]
        assert len(tokens) == 100
        # A backend counts for all to see when it ends, or once in a while.
        store.close()
        deadline = 100
        while True:
            [[updates, hot]] = admin.execute(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
                " WHERE relid = 'refresh_session'::regclass"
            ).fetchall()
            if updates >= 1_000:
                break
            deadline -= 1
            assert deadline, f"{updates} updates are counted"
            threading.Event().wait(0.05)
        assert hot / updates >= 0.8

    def test_only_the_bearer_of_an_authentic_token_makes_it_write(
        self, store: FullStore, admin: Admin
    ) -> None:
        """A forged, a future and a stranger's token leave even the row's version as it is."""
        token = login(store)
        before = admin.execute("SELECT ctid, xmin FROM refresh_session").fetchall()
        forged = token._replace(digest=bytes(32))
        for guess in (forged, forged._replace(generation=1), forged._replace(generation=-1)):
            assert refresh(store, guess) is Outcome.UNKNOWN
        assert refresh(store, token._replace(family=Family("who", "?"))) is Outcome.UNKNOWN
        assert admin.execute("SELECT ctid, xmin FROM refresh_session").fetchall() == before

    def test_a_connection_that_the_server_ends_is_replaced(
        self, store: FullStore, admin: Admin
    ) -> None:
        """One call is answered by nobody; the next has a new connection."""
        token = login(store)
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = current_setting('application_name')"
            " AND pid <> pg_backend_pid()"
        )
        with pytest.raises(AnswerLost) as lost:
            store.verify(token, "phone", NOW_MS)
        assert lost.value.__cause__ is not None
        assert isinstance(refresh(store, token), Token)

    def test_a_refusal_is_known_not_to_be_executed(self, store: FullStore, admin: Admin) -> None:
        """What the server answers with an error is refused; the connection serves on."""
        token = login(store)
        admin.execute("ALTER TABLE refresh_session RENAME TO elsewhere")
        with pytest.raises(StoreRefused, match="refresh_session") as refused:
            store.verify(token, "phone", NOW_MS)
        assert refused.value.__cause__ is not None
        admin.execute("ALTER TABLE elsewhere RENAME TO refresh_session")
        assert isinstance(refresh(store, token), Token)

    @pytest.mark.parametrize("generation", [2**63, -(2**63) - 1])
    def test_a_number_past_64_bits_is_refused(self, store: FullStore, generation: int) -> None:
        """The driver can't send it, and nothing was sent."""
        token = login(store)
        with pytest.raises(StoreRefused):
            refresh(store, token._replace(generation=generation))
        assert isinstance(refresh(store, token), Token)

    def test_half_a_character_is_refused(self, store: FullStore) -> None:
        """A lone surrogate is no Unicode text."""
        with pytest.raises(StoreRefused, match="surrogates"):
            login(store, Family("\ud800", "1"))

    def test_a_lock_held_too_long_is_refused(
        self, store: FullStore, admin: Admin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server gives up first, so that it is known that nothing was executed."""
        monkeypatch.setattr(postgres_connection, "STATEMENT_SECONDS", 1)
        token = login(store)
        with admin.transaction():
            admin.execute("SELECT FROM refresh_session FOR UPDATE")
            with pytest.raises(StoreRefused, match="statement timeout"):
                refresh(store, token)
            with pytest.raises(AnswerLost, match="by half"):
                store.revoke_subject(token.family.subject, Reason.ADMIN, NOW_MS)
        assert isinstance(refresh(store, token), Token)
        # The half that was done: whatever is issued before that instant is ended.
        late = login(store, Family(token.family.subject, "late"))
        assert store.verify(late, "phone", NOW_MS).outcome is Outcome.REVOKED

    def test_a_bad_url_is_not_repeated(self, tmp_path: Path) -> None:
        """It may hold a password."""
        url = "postgresql://bench:s3cret@127.0.0.1/bench?nonsense"
        store = backends.resolve(self.spec).open(Place(tmp_path, url), Policy())
        with pytest.raises(NotSent, match="not a PostgreSQL URL") as refused:
            login(store)
        assert "s3cret" not in str(refused.value)
        assert refused.value.__suppress_context__

    def test_long_names_stay_apart_and_whole(self, store: FullStore) -> None:
        """Names beyond what an index entry holds are told apart, and come back in full."""
        subject = uuid.uuid4().hex * 400
        names = ["x" * length for length in (LONGEST_KEY, LONGEST_KEY + 1, LONGEST_KEY + 2)]
        names.append("\N{HANGUL SYLLABLE GAG}" * LONGEST_KEY)
        for name in names:
            login(store, Family(subject, name))
        assert {one.family.id for one in store.sessions(subject)} == set(names)
        assert store.sessions(subject + "x") == []

    def test_sweep_takes_so_many_expired_ones_and_nothing_else(self, store: FullStore) -> None:
        """The bound is kept, the living stay, and what is left is found by the next."""
        assert isinstance(store, Sweeps)
        subject = uuid.uuid4().hex
        for number in range(10):
            login(store, Family(subject, str(number)), NOW_MS - IDLE_MS)
        login(store, Family(subject, "alive"), NOW_MS - IDLE_MS + 1)
        swept = [store.sweep(NOW_MS, limit) for limit in (0, 4, 4, 4, 4)]
        assert swept == [0, 4, 4, 2, 0]
        assert [one.family.id for one in store.sessions(subject)] == ["alive"]

    def test_sweep_forgets_denials_and_revocations_in_time(
        self, store: FullStore, admin: Admin
    ) -> None:
        """Each goes when nothing can ask for it any more, not sooner."""
        assert isinstance(store, Sweeps)
        store.deny(b"past", NOW_MS - 1)
        store.deny(b"now", NOW_MS)
        store.revoke_subject("past", Reason.ADMIN, NOW_MS - LATEST_ISSUE_MS - 1)
        store.revoke_subject("now", Reason.ADMIN, NOW_MS - LATEST_ISSUE_MS)
        store.sweep(NOW_MS, 10)
        assert [store.is_denied(b"past"), store.is_denied(b"now")] == [False, True]
        kept = admin.execute("SELECT subject FROM refresh_subject_revocation").fetchall()
        assert kept == [(b"now",)]

    def test_sweeping_and_revoking_at_once_do_not_deadlock(self, store: FullStore) -> None:
        """Whoever locks many rows locks them in one order, or waits for none."""
        assert isinstance(store, Sweeps)
        subject = uuid.uuid4().hex
        with ThreadPoolExecutor(8) as threads:
            for _ in range(3):
                families = [Family(subject, uuid.uuid4().hex) for _ in range(300)]
                tokens = list(threads.map(lambda one: login(store, one), families))
                runs: list[Any] = [threads.submit(refresh, store, token) for token in tokens[:100]]
                for _ in range(6):
                    runs.append(
                        threads.submit(store.revoke_subject, subject, Reason.SUBJECT, NOW_MS - 1)
                    )
                    runs.append(threads.submit(store.sweep, NOW_MS + IDLE_MS, 100))
                for run in runs:
                    run.result()
        while store.sweep(NOW_MS + 3 * IDLE_MS, 100):
            pass
        assert store.sessions(subject) == []

    def test_a_thread_takes_its_connection_along(self, store: FullStore, admin: Admin) -> None:
        """Threads that come and go leave no connection behind."""
        token = login(store)
        for _ in range(5):
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda _: store.verify(token, "phone", NOW_MS), range(40)))
        [[name]] = admin.execute("SHOW application_name").fetchall()
        deadline = 100
        while (count := admin.execute(LIVE, (name,)).fetchall()[0][0]) > 2:
            deadline -= 1
            assert deadline, f"{count} connections"
            threading.Event().wait(0.05)

    def test_two_may_prepare_at_once(self, place: Place) -> None:
        """Tables are created once, whoever comes second."""
        subject = backends.resolve(self.spec)
        with ThreadPoolExecutor(6) as threads:
            for run in [threads.submit(subject.prepare, place) for _ in range(6)]:
                run.result()


class TestPsycopg(Both):
    spec = "postgres"
    rotation_on_the_wire = b"rotate\0"


class TestSqlAlchemy(Both):
    spec = "postgres-sqlalchemy"
    rotation_on_the_wire = b"_pg3_"


@pytest.mark.parametrize("statement", [FIND, SESSIONS, postgres.ROTATE], ids=lambda one: one.name)
def test_statements_use_the_key(place: Place, admin: Admin, statement: Statement) -> None:
    """On a table that nobody analysed yet, the plan that is kept goes by the primary key."""
    backends.resolve("postgres").prepare(place)
    plan = admin.execute(b"EXPLAIN (GENERIC_PLAN) " + statement.dollars).fetchall()
    lines = "\n".join(line for (line,) in plan)
    assert "refresh_session_pkey" in lines
    assert "Seq Scan" not in lines


def test_no_index_is_on_what_a_rotation_changes(place: Place, admin: Admin) -> None:
    """The key is the only index, which is what keeps rotations HOT."""
    backends.resolve("postgres").prepare(place)
    indexes = admin.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'refresh_session'"
        " AND schemaname = current_schema()"
    ).fetchall()
    assert [definition.partition("USING ")[2] for (definition,) in indexes] == [
        "btree (subject, family)"
    ]


def test_what_is_stored_can_be_read_by_people(place: Place, admin: Admin) -> None:
    """Texts are UTF-8, and a token is there as its digest alone."""
    subject = backends.resolve("postgres")
    subject.prepare(place)
    store = subject.open(place, Policy())
    token = login(store, Family("Zoë", "1"))
    store.close()
    rows = admin.execute(
        "SELECT convert_from(subject, 'UTF8'), convert_from(device, 'UTF8'), digest"
        " FROM refresh_session"
    ).fetchall()
    assert rows == [("Zoë", "phone", token.digest)]


def test_the_two_lanes_are_one_store(place: Place) -> None:
    """What one writes the other reads; only the library differs."""
    for name in ("postgres", "postgres-sqlalchemy"):
        backends.resolve(name).prepare(place)
    first, second = (
        backends.resolve(name).open(place, Policy()) for name in ("postgres", "postgres-sqlalchemy")
    )
    token = login(first)
    successor = refresh(second, token)
    assert isinstance(successor, Token)
    assert first.verify(successor, "phone", NOW_MS) == second.verify(successor, "phone", NOW_MS)
    first.close()
    second.close()
