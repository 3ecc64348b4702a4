"""Files that a reader finds whole or not at all, and the lock under which they are replaced.

A file is written under a temporary name, then renamed over its own: rename(2) is atomic, so reading
needs no lock. Every writer of a folder holds the folder's lock, so one temporary name a folder is
enough, and one that is found under the lock is left from a writer that died.

The lock is flock(2) on a sidecar that is never renamed or removed. (A lock on the renamed file
guards an inode that is no longer there; removing a lock file lets two hold "the" lock.) It belongs
to the open file description, so each operation opens its own: it holds between threads as between
processes, and ends with the process that held it.

Functions raise OSError. Paths are strings: building a `Path` costs as much as the system call.
"""
# ruff: noqa: PTH104, PTH108, PTH116

import ctypes
import fcntl
import os
from contextlib import suppress
from types import TracebackType

TEMPORARY = "tmp"
CHUNK_BYTES = 65_536
_LIBC = ctypes.CDLL(None, use_errno=True)


class Locked:
    """Holds the exclusive lock on a sidecar file, which must exist."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A child forked meanwhile holds the same description, which closing alone wouldn't unlock.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def read(path: str) -> bytes | None:
    """Give the content of a file; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        content = chunk = os.read(descriptor, CHUNK_BYTES)
        while len(chunk) == CHUNK_BYTES:
            chunk = os.read(descriptor, CHUNK_BYTES)
            content += chunk
        return content
    finally:
        os.close(descriptor)


def replace(folder: str, name: str, content: bytes, *, fsync: bool) -> None:
    """Make `content` the content of a file, under the folder's lock.

    With `fsync` the content is on disk before the name points to it; the name itself is once
    `sync_folder` has returned.
    """
    temporary = f"{folder}/{TEMPORARY}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            if fsync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, f"{folder}/{name}")
    except OSError:
        remove(temporary)
        raise


def sync_folder(folder: str) -> None:
    """Have the folder's entries on disk: names created, renamed and removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_everything(folder: str) -> None:
    """Have all that was written on a folder's file system on disk, contents and names: syncfs(2).

    For thousands of files it takes one wait for the disk where fsync of each takes as many.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed", folder)
    finally:
        os.close(descriptor)


def exists(path: str) -> bool:
    """Whether there is such a file; unlike os.path.exists, "can't tell" is an error, not a no."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def require(path: str) -> None:
    """Raise FileNotFoundError unless there is such a file."""
    os.stat(path)


def is_empty(folder: str) -> bool:
    """Whether nothing is in a folder."""
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def remove(path: str) -> None:
    """Remove a file if it is there and can be removed."""
    with suppress(OSError):
        os.unlink(path)
