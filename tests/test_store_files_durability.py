"""What the files store has on disk before it answers, and what it says when the disk fails."""

import os
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.errors import AnswerLost, StoreRefused
from backends.files import BACKEND
from backends.store import Reason
from bench.conform.caller import DEVICE, new_digest, new_session, token_of
from tests.file_stores import NOW_MS, opened, sessions_under, successor


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record, in order, what decides durability: names made and renamed, and what is fsynced."""
    seen: list[tuple[str, str]] = []
    fsync, rename, mkdir = os.fsync, os.rename, os.mkdir

    def record_fsync(descriptor: int) -> None:
        seen.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def record_rename(source: str, target: str) -> None:
        seen.append(("rename", Path(target).name))
        rename(source, target)

    def record_mkdir(path: str, mode: int = 0o777) -> None:
        seen.append(("mkdir", Path(path).name))
        mkdir(path, mode)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "rename", record_rename)
    monkeypatch.setattr(os, "mkdir", record_mkdir)
    return seen


def test_with_fsync_all_is_on_disk_before_the_answer(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    """A new folder's name, the content before its name, and the name, in this order."""
    store, session = opened(tmp_path, "fsync"), new_session(NOW_MS)
    calls.clear()
    store.issue(session)
    [file] = sessions_under(tmp_path)
    shard, folder = file.parent.parent.name, file.parent.name
    content = [("fsync", "tmp"), ("rename", file.name), ("fsync", folder)]
    assert calls == [("mkdir", folder), ("fsync", shard), *content]
    calls.clear()
    store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
    assert calls == content


def test_with_fsync_an_empty_folder_is_not_trusted(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    """Whoever made it may have been killed before its name was on disk."""
    store, session = opened(tmp_path, "fsync"), new_session(NOW_MS)
    store.issue(session)
    [file] = sessions_under(tmp_path)
    file.unlink()
    calls.clear()
    store.issue(session)
    assert ("fsync", file.parent.parent.name) in calls


def test_with_fsync_a_repeated_revocation_waits_for_the_first(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    """It is acknowledged once it is durable, even if who wrote it died before making it so."""
    store, session = opened(tmp_path, "fsync"), new_session(NOW_MS)
    store.issue(session)
    store.revoke(session.family, Reason.LOGOUT, NOW_MS)
    [file] = sessions_under(tmp_path)
    calls.clear()
    store.revoke(session.family, Reason.LOGOUT, NOW_MS)
    assert calls == [("fsync", file.parent.name)]


def test_without_fsync_nothing_waits_for_the_disk(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    """The profile is what it says."""
    store, session = opened(tmp_path, "nofsync"), new_session(NOW_MS)
    store.issue(session)
    store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
    store.revoke_subject(session.family.subject, Reason.ADMIN, NOW_MS)
    store.deny(new_digest(), NOW_MS)
    assert "fsync" not in {kind for kind, _ in calls}
    assert store.settings() == {"fsync": "off"} == BACKEND.profiles["nofsync"].client


def test_a_disk_that_fails_before_the_rename_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content isn't on disk, so the old session stands: definitely not executed."""
    store, session = opened(tmp_path, "fsync"), new_session(NOW_MS)
    store.issue(session)
    monkeypatch.setattr(os, "fsync", _failing(stat.S_ISREG))
    with pytest.raises(StoreRefused, match="Input/output error"):
        store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
    assert store.sessions(session.family.subject) == [session]


def test_a_disk_that_fails_after_the_rename_leaves_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rotation is seen by all and may not survive a power cut: nobody knows."""
    store, session = opened(tmp_path, "fsync"), new_session(NOW_MS)
    store.issue(session)
    monkeypatch.setattr(os, "fsync", _failing(stat.S_ISDIR))
    with pytest.raises(AnswerLost, match="perhaps not on disk"):
        store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
    [found] = store.sessions(session.family.subject)
    assert found.generation == 1


def test_a_revocation_of_all_that_stops_halfway_leaves_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some sessions are revoked and some are not, so "not executed" would be a lie."""
    store = opened(tmp_path)
    for _ in range(3):
        store.issue(new_session(NOW_MS, subject="s"))
    monkeypatch.setattr(os, "rename", _failing_third_time(os.rename))
    with pytest.raises(AnswerLost, match="some sessions may not be revoked"):
        store.revoke_subject("s", Reason.ADMIN, NOW_MS)
    ended = Counter(session.revoked_at_ms for session in store.sessions("s"))
    assert ended == {NOW_MS: 1, None: 2}


def _failing(which: Callable[[int], bool]) -> Callable[[int], None]:
    def fail(descriptor: int) -> None:
        if which(os.fstat(descriptor).st_mode):
            raise OSError(5, "Input/output error")

    return fail


def _failing_third_time(rename: Callable[[str, str], None]) -> Callable[[str, str], None]:
    count = iter(range(10))

    def fail(source: str, target: str) -> None:
        if next(count) == 2:
            raise OSError(28, "No space left on device")
        rename(source, target)

    return fail
