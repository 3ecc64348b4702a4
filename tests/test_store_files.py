"""The files store: it answers as the model does, to any name, any racer and any sweep."""

import multiprocessing
import stat
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from backends.atomic_files import Locked
from backends.files import BACKEND, FilesStore
from backends.memory import LATEST_ISSUE_MS
from backends.store import Outcome, Policy, Reason, Session, Token
from bench.conform.caller import DEVICE, new_digest, new_session, next_token, token_of
from tests.differential import POLICIES, Pair
from tests.file_stores import NOW_MS, opened, sessions_under, successor

PROCESSES = 4


@pytest.fixture(params=BACKEND.profiles)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FilesStore:
    """Give a store in each profile."""
    return opened(tmp_path, request.param)


@pytest.mark.parametrize("profile", BACKEND.profiles)
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_it_lives_as_the_model_does(tmp_path: Path, profile: str, policy: Policy) -> None:
    """Through a random life every answer and every field is the dictionary store's."""
    pair = Pair(opened(tmp_path, profile, policy), policy, seed=11, start_ms=NOW_MS)
    for step in range(600):
        pair.step()
        if step % 20 == 0:
            pair.compare()
    pair.compare()
    assert {Outcome.ROTATED, Outcome.REUSED, Outcome.REVOKED, Outcome.EXPIRED} <= set(pair.seen)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "../../etc",
        "/",
        "a\0b",
        "\N{HANGUL SYLLABLE GAG}" * 10_000,
        "\ud800",
        "tmp",
        "lock",
    ],
    ids=["empty", "dot", "path", "slash", "nul", "long", "surrogate", "tmp", "lock"],
)
def test_any_string_names_a_subject_and_a_family(store: FilesStore, name: str) -> None:
    """No name reaches the file system as it is."""
    session = new_session(NOW_MS, subject=name)
    session = new_session(NOW_MS, family=session.family._replace(subject=name, id=name))
    store.issue(session)
    assert store.rotate(token_of(session), successor(), DEVICE, NOW_MS).outcome is Outcome.ROTATED
    [found] = store.sessions(name)
    assert (found.family, found.generation) == (session.family, 1)


def test_no_token_and_no_open_folder_is_left_on_disk(tmp_path: Path, store: FilesStore) -> None:
    """Only digests are kept, and only the owner may read them."""
    session = new_session(NOW_MS)
    store.issue(session)
    store.deny(new_digest(), NOW_MS)
    [file] = sessions_under(tmp_path)
    assert session.digest.hex() in file.read_text()
    entries = [path for path in tmp_path.rglob("*") if path != tmp_path]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in entries if path.is_file()} == {0}
    assert stat.S_IMODE(file.parent.stat().st_mode) & 0o077 == 0


def test_a_session_is_found_by_another_process_at_once(tmp_path: Path, store: FilesStore) -> None:
    """A second store on the directory, as in another process, sees what was acknowledged."""
    session = new_session(NOW_MS)
    store.issue(session)
    other = FilesStore(tmp_path, Policy(), store.capabilities)
    assert other.verify(token_of(session), DEVICE, NOW_MS).session == session


def test_one_subject_may_have_ten_thousand_sessions(tmp_path: Path) -> None:
    """They are listed and revoked together, and their neighbours in the shard are not."""
    store = opened(tmp_path)
    for _ in range(10_000):
        store.issue(new_session(NOW_MS, subject="many"))
    neighbour = new_session(NOW_MS, subject="one")
    store.issue(neighbour)
    store.revoke_subject("many", Reason.SUBJECT, NOW_MS)
    found = store.sessions("many")
    assert len(found) == 10_000
    assert {session.revoked_reason for session in found} == {Reason.SUBJECT}
    assert store.sessions("one") == [neighbour]


def _race(
    tokens: Sequence[Token], directory: Path, meeting: threading.Barrier | Barrier
) -> list[str]:
    store = FilesStore(directory, Policy(), BACKEND.profiles["nofsync"].capabilities)
    outcomes = []
    for token in tokens:
        meeting.wait(30)
        outcomes.append(store.rotate(token, successor(), DEVICE, NOW_MS).outcome.value)
    return outcomes


def test_of_sixteen_threads_one_wins(tmp_path: Path) -> None:
    """The lock holds between threads of one process, which share its open files."""
    store = opened(tmp_path)
    sessions = [new_session(NOW_MS) for _ in range(100)]
    for session in sessions:
        store.issue(session)
    meeting = threading.Barrier(16)
    with ThreadPoolExecutor(16) as pool:
        racers = [
            pool.submit(_race, [token_of(s) for s in sessions], tmp_path, meeting)
            for _ in range(16)
        ]
        rounds = zip(*(racer.result() for racer in racers), strict=True)
    assert {outcomes.count("rotated") for outcomes in rounds} == {1}


_meeting: Barrier


def _join(meeting: Barrier) -> None:
    global _meeting  # noqa: PLW0603  (a spawned worker has nowhere else to keep it)
    _meeting = meeting


def _race_in_process(tokens: Sequence[Token], directory: Path) -> list[str]:
    return _race(tokens, directory, _meeting)


def test_of_four_processes_one_wins(tmp_path: Path) -> None:
    """The lock holds between processes."""
    store = opened(tmp_path)
    sessions = [new_session(NOW_MS) for _ in range(100)]
    for session in sessions:
        store.issue(session)
    tokens = [token_of(session) for session in sessions]
    context = multiprocessing.get_context("spawn")
    meeting = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(
        PROCESSES, mp_context=context, initializer=_join, initargs=(meeting,)
    ) as pool:
        racers = [pool.submit(_race_in_process, tokens, tmp_path) for _ in range(PROCESSES)]
        rounds = zip(*(racer.result(60) for racer in racers), strict=True)
    assert {outcomes.count("rotated") for outcomes in rounds} == {1}


def test_no_issue_survives_the_revocation_it_races(tmp_path: Path) -> None:
    """An issue that began before `revoke_subject` is stored revoked, even in a new folder."""
    store = opened(tmp_path)
    early, late = (new_session(ms, subject="racing") for ms in (NOW_MS, NOW_MS + 1))
    store.revoke_subject("racing", Reason.ADMIN, NOW_MS)
    store.revoke_subject("racing", Reason.ADMIN, NOW_MS - 50)
    store.issue(early)
    store.issue(late)
    ended = {session.family: session.revoked_at_ms for session in store.sessions("racing")}
    assert ended == {early.family: NOW_MS, late.family: None}


def test_a_descriptor_inherited_by_a_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A child that was forked while the lock was held must not hold it for its whole life."""
    path = tmp_path / "lock"
    path.touch()
    lock = Locked(str(path))
    with lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[lock._descriptor])
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: Locked(str(path)).__enter__()).result(10)
    finally:
        child.kill()
        child.wait()


def test_a_sweep_removes_no_more_than_it_may(tmp_path: Path, store: FilesStore) -> None:
    """Expired sessions go, `limit` at a time; live ones stay; folders with nothing in them go."""
    expired = [new_session(NOW_MS, idle_expires_at_ms=NOW_MS + 1) for _ in range(10)]
    live = new_session(NOW_MS, subject=expired[0].family.subject)
    for session in [*expired, live]:
        store.issue(session)
    assert [store.sweep(NOW_MS + 1, 4) for _ in range(4)] == [4, 4, 2, 0]
    [file] = sessions_under(tmp_path)
    assert store.sessions(live.family.subject) == [live]
    assert [path for path in tmp_path.glob("*/*") if path.name not in {"lock", "denied"}] == [
        file.parent
    ]
    assert len(list(tmp_path.glob("*/lock"))) == 256


def test_a_sweep_forgets_denials_and_revocations_that_are_past(
    tmp_path: Path, store: FilesStore
) -> None:
    """A denial outlives the token it denies; a subject's revocation any issue in flight."""
    digest = new_digest()
    store.deny(digest, NOW_MS)
    store.deny(digest, NOW_MS - 5)
    store.revoke_subject("s", Reason.ADMIN, NOW_MS)
    store.issue(new_session(NOW_MS, subject="s", idle_expires_at_ms=NOW_MS))
    assert store.sweep(NOW_MS, 10) == 1
    assert store.is_denied(digest)
    store.sweep(NOW_MS + LATEST_ISSUE_MS, 10)
    assert not store.is_denied(digest)
    assert list(tmp_path.rglob("revoked"))
    store.sweep(NOW_MS + LATEST_ISSUE_MS + 1, 10)
    assert not list(tmp_path.rglob("revoked"))


def test_a_sweep_passes_over_what_is_not_its_own(tmp_path: Path, store: FilesStore) -> None:
    """A stray file in a shard, put there by a desktop or a backup, is no reason to stop."""
    (tmp_path / "00" / ".DS_Store").touch()
    store.issue(new_session(NOW_MS, idle_expires_at_ms=NOW_MS))
    assert store.sweep(NOW_MS, 10) == 1


def test_sweeps_and_logins_of_one_subject_do_not_cross(tmp_path: Path) -> None:
    """A folder that is emptied and removed while a login comes in: every live session is there."""
    store, stop = opened(tmp_path), threading.Event()

    def sweep() -> int:
        removed = 0
        while not stop.is_set():
            removed += store.sweep(NOW_MS + 1, 1_000)
        return removed

    def log_in(number: int) -> Session:
        subject = f"subject-{number % 3}"
        store.issue(new_session(NOW_MS, subject=subject, idle_expires_at_ms=NOW_MS))
        kept = new_session(NOW_MS, subject=subject)
        store.issue(kept)
        rotated = store.rotate(token_of(kept), successor(), DEVICE, NOW_MS)
        assert rotated.successor is not None
        store.verify(next_token(token_of(kept), rotated.successor), DEVICE, NOW_MS)
        return kept

    with ThreadPoolExecutor(4) as pool:
        sweepers = [pool.submit(sweep) for _ in range(2)]
        try:
            kept = {session.family for session in pool.map(log_in, range(300))}
        finally:
            stop.set()
        removed = sum(sweeper.result() for sweeper in sweepers)
    found = {s.family for n in range(3) for s in store.sessions(f"subject-{n}")}
    assert kept <= found
    assert removed + len(found) - len(kept) == 300
