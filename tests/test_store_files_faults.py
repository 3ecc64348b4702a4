"""The files store when writers die, files are damaged, and the kernel says no."""

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from backends.errors import NotSent, StoreRefused
from backends.files import BACKEND, FilesStore
from backends.memory import LATEST_ISSUE_MS
from backends.store import Outcome, Reason
from bench.conform.caller import DEVICE, IDLE_MS, new_session, token_of
from tests.file_stores import NOW_MS, opened, sessions_under, successor


@pytest.fixture(params=BACKEND.profiles)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FilesStore:
    """Give a store in each profile."""
    return opened(tmp_path, request.param)


WRITER = dedent("""
    import sys
    from pathlib import Path
    from tests.file_stores import NOW_MS, opened, successor
    from bench.conform.caller import DEVICE, new_session, next_token, token_of

    store = opened(Path(sys.argv[1]))
    while True:
        session = new_session(NOW_MS, subject="writer")
        store.issue(session)
        print(session.family.id, 0, flush=True)
        token = token_of(session)
        for generation in range(1, 20):
            proposed = successor()
            store.rotate(token, proposed, DEVICE, NOW_MS)
            print(session.family.id, generation, flush=True)
            token = next_token(token, proposed)
""")


def test_killed_at_any_moment_it_is_whole(tmp_path: Path) -> None:
    """SIGKILL in the middle of writes: all that was acknowledged is there, and the lock is free."""
    for kill in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(50 + 37 * kill)]
            writer.send_signal(signal.SIGKILL)
            lines += [line for line in writer.stdout if line.endswith("\n")]
        acknowledged = {line.split()[0]: int(line.split()[1]) for line in lines}
        store = opened(tmp_path)
        found = {s.family.id: s.generation for s in store.sessions("writer")}
        assert all(found[family] >= known for family, known in acknowledged.items())
        store.revoke_subject("writer", Reason.ADMIN, NOW_MS - 1)


def test_what_a_dead_writer_left_is_ignored_then_swept(tmp_path: Path, store: FilesStore) -> None:
    """A half-written temporary file is no session, is overwritten, and does not stay."""
    session = new_session(NOW_MS)
    store.issue(session)
    leftover = sessions_under(tmp_path)[0].parent / "tmp"
    leftover.write_bytes(b'{"subject": "half')
    assert store.sessions(session.family.subject) == [session]
    leftover.write_bytes(bytes(5_000))
    other = new_session(NOW_MS, subject=session.family.subject)
    store.issue(other)
    assert store.verify(token_of(other), DEVICE, NOW_MS).outcome is Outcome.VALID
    store.revoke(other.family, Reason.LOGOUT, NOW_MS)
    leftover.touch()
    assert store.sweep(NOW_MS, 100) == 0
    assert not leftover.exists()
    assert len(store.sessions(session.family.subject)) == 2


@pytest.mark.parametrize("content", [b"", b'{"subj', b"[]", b"null", b"{}", b"\xff", b"7" * 5_000])
def test_a_damaged_session_is_refused_not_guessed(
    tmp_path: Path, store: FilesStore, content: bytes
) -> None:
    """Nobody gets in by it, it can't spare its siblings a revocation, and it stays as evidence."""
    damaged, sound = new_session(NOW_MS, subject="s"), new_session(NOW_MS, subject="s")
    store.issue(damaged)
    [file] = sessions_under(tmp_path)
    file.write_bytes(content)
    store.issue(sound)
    with pytest.raises(StoreRefused, match="damaged session file"):
        store.verify(token_of(damaged), DEVICE, NOW_MS)
    with pytest.raises(StoreRefused, match="damaged session file"):
        store.rotate(token_of(damaged), successor(), DEVICE, NOW_MS)
    with pytest.raises(StoreRefused, match="damaged session file"):
        store.sessions("s")
    store.revoke_subject("s", Reason.ADMIN, NOW_MS)
    assert store.verify(token_of(sound), DEVICE, NOW_MS).outcome is Outcome.REVOKED
    assert store.sweep(NOW_MS + 10 * IDLE_MS, 100) == 1
    assert file.read_bytes() == content


def test_a_damaged_revocation_lets_no_issue_pass(tmp_path: Path, store: FilesStore) -> None:
    """When the subject was last revoked is unknown, so whether a login may stand is too."""
    store.revoke_subject("s", Reason.ADMIN, NOW_MS)
    [marker] = tmp_path.rglob("revoked")
    marker.write_bytes(b"")
    with pytest.raises(StoreRefused, match="damaged file"):
        store.issue(new_session(NOW_MS + 1, subject="s"))
    store.sweep(NOW_MS + 2 * LATEST_ISSUE_MS, 1)
    assert marker.exists()


def test_a_store_that_is_gone_is_unavailable_not_empty(tmp_path: Path, store: FilesStore) -> None:
    """Every operation says that it never reached the store; none says UNKNOWN or "not denied"."""
    session = new_session(NOW_MS)
    store.issue(session)
    tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-elsewhere"))
    token, family = token_of(session), session.family
    operations: Sequence[Callable[[], object]] = [
        lambda: store.issue(session),
        lambda: store.verify(token, DEVICE, NOW_MS),
        lambda: store.rotate(token, successor(), DEVICE, NOW_MS),
        lambda: store.revoke(family, Reason.LOGOUT, NOW_MS),
        lambda: store.revoke_subject(family.subject, Reason.ADMIN, NOW_MS),
        lambda: store.deny(token.digest, NOW_MS),
        lambda: store.is_denied(token.digest),
        lambda: store.sessions(family.subject),
        lambda: store.sweep(NOW_MS, 1),
    ]
    for operation in operations:
        with pytest.raises(NotSent, match="isn't there, or was never prepared"):
            operation()


def test_a_directory_that_cannot_be_prepared_says_so(tmp_path: Path) -> None:
    """One line, with the path."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match=r"Not a directory: .*/file/00"):
        opened(tmp_path / "file" / "00")


LIMITED = dedent("""
    import resource, sys
    from pathlib import Path
    from backends.errors import StoreRefused
    from backends.store import Reason
    from bench.conform.caller import DEVICE, new_session, token_of
    from tests.file_stores import NOW_MS, opened, successor

    store, session = opened(Path(sys.argv[1])), new_session(NOW_MS)
    store.issue(session)
    limit = getattr(resource, sys.argv[2])
    resource.setrlimit(limit, (int(sys.argv[3]), resource.getrlimit(limit)[1]))
    for operation in (
        lambda: store.issue(new_session(NOW_MS)),
        lambda: store.rotate(token_of(session), successor(), DEVICE, NOW_MS),
        lambda: store.revoke(session.family, Reason.LOGOUT, NOW_MS),
    ):
        try:
            operation()
        except StoreRefused as error:
            print(error)
    resource.setrlimit(limit, (resource.getrlimit(limit)[1],) * 2)
    assert store.sessions(session.family.subject) == [session]
    assert not list(Path(sys.argv[1]).rglob("tmp"))
    print(store.rotate(token_of(session), successor(), DEVICE, NOW_MS).outcome)
""")


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("RLIMIT_FSIZE", 100, "File too large"), ("RLIMIT_NOFILE", 3, "Too many open files")],
)
def test_what_the_kernel_refuses_changes_nothing(
    tmp_path: Path, limit: str, value: int, said: str
) -> None:
    """A write cut short by the kernel is StoreRefused, leaves the old session and no debris."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), limit, str(value)],
        capture_output=True,
        text=True,
        check=True,
    )
    *refusals, outcome = done.stdout.splitlines()
    assert len(refusals) == 3
    assert all(line.startswith(said) for line in refusals)
    assert outcome == "rotated"
