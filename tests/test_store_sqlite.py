"""The SQLite store: it answers as the model does, queues its writers, and says what went wrong."""

import multiprocessing
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from backends import resolve, sqlite
from backends.errors import NotSent, StoreRefused
from backends.memory import LATEST_ISSUE_MS
from backends.sqlite import BACKEND, FILE, SqliteStore
from backends.store import Family, Outcome, Place, Policy, Reason, Token
from tests.differential import POLICIES, Pair
from tests.server_store import IDLE_MS, NOW_MS, RACERS, login, propose, refresh

PROCESSES = 2
THREADS = 8
ROTATIONS = 25


def opened(directory: Path, profile: str = "wal-full", policy: Policy | None = None) -> SqliteStore:
    """Open a store on a directory that is ready."""
    store = resolve(f"sqlite:{profile}").open(Place(directory), policy or Policy())
    assert isinstance(store, SqliteStore)
    return store


@pytest.fixture(params=BACKEND.profiles)
def profile(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each profile, on a directory that is ready for it."""
    name: str = request.param
    resolve(f"sqlite:{name}").prepare(Place(tmp_path))
    return name


@pytest.fixture
def store(tmp_path: Path, profile: str) -> Iterator[SqliteStore]:
    """Give a store in each profile."""
    one = opened(tmp_path, profile)
    yield one
    one.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Someone else's connection to the same file."""
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("start_ms", [0, NOW_MS])
def test_it_lives_as_the_model_does(tmp_path: Path, policy: Policy, start_ms: int) -> None:
    """Through a random life every answer and every field is the dictionary store's."""
    resolve("sqlite:wal-normal").prepare(Place(tmp_path))
    store = opened(tmp_path, "wal-normal", policy)
    pair = Pair(store, policy, seed=start_ms, start_ms=start_ms)
    for step in range(1_000):
        pair.step()
        if step % 20 == 0:
            pair.compare()
    pair.compare()
    store.close()
    reachable = set(Outcome) - {Outcome.GRACE} if not policy.grace_ms else set(Outcome)
    assert set(pair.seen) == reachable


@pytest.mark.parametrize("grace_ms", [0, 5_000])
def test_one_racer_wins(tmp_path: Path, profile: str, grace_ms: int) -> None:
    """Of many threads with one token one rotates; the others are in its grace, or kill it."""
    store = opened(tmp_path, profile, Policy(grace_ms=grace_ms))
    others = {Outcome.GRACE: RACERS - 1} if grace_ms else {Outcome.REUSED: 1}
    with ThreadPoolExecutor(RACERS) as threads:
        for _ in range(10):
            token, barrier = login(store), threading.Barrier(RACERS)

            def race(token: Token = token, barrier: threading.Barrier = barrier) -> Any:
                successor = propose()
                barrier.wait()
                return store.rotate(token, successor, "phone", NOW_MS)

            answers = [run.result() for run in [threads.submit(race) for _ in range(RACERS)]]
            outcomes = Counter(answer.outcome for answer in answers)
            assert outcomes.pop(Outcome.ROTATED) == 1
            assert outcomes.items() >= others.items()
            assert set(outcomes) <= {*others, Outcome.REVOKED}
    store.close()


def test_none_in_flight_survives_its_subject(store: SqliteStore) -> None:
    """Sessions issued and rotated while their subject is ended are ended too."""
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in range(5):
            subject = uuid.uuid4().hex

            def live(number: int, subject: str = subject) -> None:
                token: Token | Outcome = login(store, Family(subject, str(number)), NOW_MS - 1)
                while isinstance(token, Token):
                    token = refresh(store, token)
                assert token is Outcome.REVOKED

            runs = [threads.submit(live, number) for number in range(THREADS)]
            store.revoke_subject(subject, Reason.SUBJECT, NOW_MS)
            for run in runs:
                run.result()
            sessions = store.sessions(subject)
            assert len(sessions) == THREADS
            assert {one.revoked_reason for one in sessions} == {Reason.SUBJECT}


def live_together(directory: Path, profile: str, barrier: Barrier) -> list[int]:
    """Open the file with the other processes at once, and rotate on every thread."""
    store = opened(directory, profile)

    def live(_: int) -> int:
        token: Token | Outcome = login(store)
        for _ in range(ROTATIONS):
            assert isinstance(token, Token)
            assert store.verify(token, "phone", NOW_MS).outcome is Outcome.VALID
            token = refresh(store, token)
        assert isinstance(token, Token)
        return token.generation

    barrier.wait()
    with ThreadPoolExecutor(THREADS) as threads:
        generations = list(threads.map(live, range(THREADS)))
    store.close()
    return generations


@pytest.fixture
def barrier() -> Iterator[Any]:
    with multiprocessing.get_context("spawn").Manager() as manager:
        yield manager.Barrier(PROCESSES)


def test_processes_share_the_file(tmp_path: Path, profile: str, barrier: Barrier) -> None:
    """Nobody is told that the database is locked, and every rotation is there at the end."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as processes:
        runs = [
            processes.submit(live_together, tmp_path, profile, barrier) for _ in range(PROCESSES)
        ]
        assert [run.result() for run in runs] == [[ROTATIONS] * THREADS] * PROCESSES
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        [total] = file.execute("SELECT sum(generation) FROM refresh_session").fetchone()
    assert total == PROCESSES * THREADS * ROTATIONS


def test_settings_are_those_of_the_profile(store: SqliteStore, profile: str) -> None:
    """What the connection says is what the profile promises."""
    assert dict(store.settings()) == dict(BACKEND.profiles[profile].client)
    assert store.capabilities is BACKEND.profiles[profile].capabilities


def test_profiles_lose_what_they_say() -> None:
    """Two keep all through a power cut, two name what they lose."""
    kept = {
        name: profile.capabilities.survives_power_cut for name, profile in BACKEND.profiles.items()
    }
    assert {name for name, keeps in kept.items() if keeps} == {"wal-full", "delete-extra"}


@pytest.mark.parametrize(
    "name", ["", "a\0b", "'\";--", "{}$?:1", "\N{SNOWMAN}\U0001f511", "x" * 10_000], ids=ascii
)
def test_any_name_is_only_a_name(store: SqliteStore, name: str) -> None:
    """Any text names a subject, a family or a device, and comes back as it was."""
    tokens = [login(store, Family(name, family)) for family in (name, name + "1")]
    store.revoke_subject(name, Reason.ADMIN, NOW_MS, except_family=name)
    assert {one.family for one in store.sessions(name)} == {token.family for token in tokens}
    assert store.rotate(tokens[0], propose(), name, NOW_MS).outcome is Outcome.DEVICE_MISMATCH
    assert isinstance(refresh(store, tokens[0]), Token)
    assert refresh(store, tokens[1]) is Outcome.REVOKED


def test_what_can_not_be_stored_is_refused(store: SqliteStore) -> None:
    """Half a character, and a number past 64 bits."""
    with pytest.raises(StoreRefused, match="surrogates"):
        login(store, Family("\ud800", "1"))
    with pytest.raises(StoreRefused, match="too large"):
        login(store, at_ms=2**63)


def test_a_refused_token_writes_nothing(store: SqliteStore, file: sqlite3.Connection) -> None:
    """Only a reuse changes the file; a refusal that follows from it does not."""
    token = login(store)
    store.revoke(token.family, Reason.LOGOUT, NOW_MS)
    [before] = file.execute("PRAGMA data_version").fetchone()
    assert refresh(store, token) is Outcome.REVOKED
    assert refresh(store, token._replace(digest=bytes(32))) is Outcome.UNKNOWN
    assert refresh(store, token._replace(family=Family("who", "?"))) is Outcome.UNKNOWN
    [after] = file.execute("PRAGMA data_version").fetchone()
    assert after == before
    refresh(store, login(store))
    [later] = file.execute("PRAGMA data_version").fetchone()
    assert later != before


def test_whoever_holds_the_file_too_long_is_not_waited_for(
    tmp_path: Path, profile: str, file: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock from outside the queue is waited for a bounded time; then nothing was executed."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2)
    store = opened(tmp_path, profile)
    token = login(store)
    file.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotSent) as locked:
        refresh(store, token)
    assert locked.value.__cause__ is not None
    file.execute("ROLLBACK")
    assert isinstance(refresh(store, token), Token)
    store.close()


def test_a_missing_file_is_not_made_anew(tmp_path: Path) -> None:
    """An empty store in place of a lost one would call every token unknown."""
    store = opened(tmp_path)
    with pytest.raises(NotSent, match=FILE):
        login(store)
    assert not (tmp_path / FILE).exists()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A damaged file is an error of the store, never an answer about a token."""
    (tmp_path / FILE).write_bytes(b"no database at all, however long it goes on" * 50)
    store = opened(tmp_path)
    with pytest.raises((StoreRefused, NotSent)):
        login(store)
    store.close()


def test_closed_is_closed(tmp_path: Path, profile: str) -> None:
    """Closing twice is fine, the data stays, and a closed store doesn't open by itself."""
    store = opened(tmp_path, profile)
    token = login(store)
    store.close()
    store.close()
    with pytest.raises(NotSent, match="closed"):
        store.verify(token, "phone", NOW_MS)
    again = opened(tmp_path, profile)
    assert isinstance(refresh(again, token), Token)
    again.close()


def test_preparing_twice_keeps_the_data(tmp_path: Path, profile: str) -> None:
    """Tables that are there stay as they are."""
    store = opened(tmp_path, profile)
    token = login(store)
    resolve(f"sqlite:{profile}").prepare(Place(tmp_path))
    assert isinstance(refresh(store, token), Token)
    store.close()


def test_sweep_takes_so_many_expired_ones_and_nothing_else(
    store: SqliteStore, file: sqlite3.Connection
) -> None:
    """The bound is kept, the living stay, and what nobody can ask for any more goes."""
    for number in range(10):
        login(store, Family("subject", str(number)), NOW_MS - IDLE_MS)
    login(store, Family("subject", "alive"), NOW_MS - IDLE_MS + 1)
    store.deny(b"past", NOW_MS - 1)
    store.deny(b"now", NOW_MS)
    store.revoke_subject("past", Reason.ADMIN, NOW_MS - LATEST_ISSUE_MS - 1)
    store.revoke_subject("now", Reason.ADMIN, NOW_MS - LATEST_ISSUE_MS)
    assert [store.sweep(NOW_MS, limit) for limit in (0, 4, 4, 4, 4)] == [0, 4, 4, 2, 0]
    assert [one.family.id for one in store.sessions("subject")] == ["alive"]
    assert [store.is_denied(b"past"), store.is_denied(b"now")] == [False, True]
    kept = file.execute("SELECT subject FROM refresh_subject_revocation").fetchall()
    assert kept == [(b"now",)]


def test_a_store_that_can_not_be_opened_keeps_no_file_of_it_open(tmp_path: Path) -> None:
    """The database is there and its lock can't be had: a disk could not be unmounted otherwise."""
    resolve("sqlite:wal-full").prepare(Place(tmp_path))
    (tmp_path / sqlite.LOCK).unlink()
    (tmp_path / sqlite.LOCK).mkdir()
    with closing(opened(tmp_path)) as store, pytest.raises(NotSent, match="can't open") as kept:
        store.settings()
    # The error is held on to, as its frames would be that hold what is open.
    assert kept.value.__cause__ is not None
    # The look itself has a descriptor, which is gone when its link is read.
    held = [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    assert [path for path in held if path.is_relative_to(tmp_path)] == []
