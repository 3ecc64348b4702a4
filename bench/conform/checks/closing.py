"""A store gives back what it took."""

import threading
import time
from pathlib import Path

from backends.errors import RefreshStoreError
from backends.store import Outcome
from bench.conform.property import Violation, require
from bench.conform.rig import Rig

TIMES = 8
SETTLES_SECONDS = 3.0


def closes(rig: Rig) -> str | None:
    """27: close releases files, connections and threads, may be repeated, and keeps the data."""
    kept = rig.open()
    token = kept.login()
    _use(rig)
    files, threads = _files(), threading.active_count()
    for _ in range(TIMES):
        _use(rig)
    # A driver's threads may take a moment to notice that they were told to end.
    until = time.monotonic() + SETTLES_SECONDS
    while True:
        more_files, more_threads = _files() - files, threading.active_count() - threads
        if (more_files < TIMES and more_threads < TIMES) or time.monotonic() > until:
            break
        time.sleep(0.05)
    # One more may be a driver's or the system's own; one each time is a leak.
    require(
        more_files < TIMES, f"opened and closed {TIMES} times, it leaks {more_files} descriptors"
    )
    require(
        more_threads < TIMES, f"opened and closed {TIMES} times, it leaks {more_threads} threads"
    )
    kept.store.close()
    kept.store.close()
    if rig.shared:
        rig.open().expect(token, Outcome.VALID, "after its store was closed")
    return None


def _use(rig: Rig) -> None:
    """Use a store from several threads, as connections are often kept for each."""
    caller = rig.open()
    token = caller.login()
    failed: list[Exception] = []

    def look() -> None:
        try:
            caller.expect(token, Outcome.VALID, "from another thread")
        except (Violation, RefreshStoreError) as error:
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(rig.seconds)
    if failed:
        raise failed[0]
    caller.rotated(token)
    caller.store.close()


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
