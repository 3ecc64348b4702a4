"""Files stores for tests."""

from collections.abc import Sequence
from pathlib import Path

from backends import resolve
from backends.files import FilesStore
from backends.store import Place, Policy, Successor
from bench.conform.caller import IDLE_MS, new_digest

NOW_MS = 1_767_225_600_123


def opened(directory: Path, profile: str = "nofsync", policy: Policy | None = None) -> FilesStore:
    """Prepare a directory and open a store on it."""
    subject = resolve(f"files:{profile}")
    subject.prepare(Place(directory))
    store = subject.open(Place(directory), policy or Policy())
    assert isinstance(store, FilesStore)
    return store


def successor(now_ms: int = NOW_MS) -> Successor:
    return Successor(new_digest(), now_ms + IDLE_MS)


def sessions_under(path: Path) -> Sequence[Path]:
    return sorted(path.rglob("*.json"))
