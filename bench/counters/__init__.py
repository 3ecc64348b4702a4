"""What a store says of itself while it is measured: sizes, and what it does in the background.

One file a kind. A reader keeps a connection of its own, beside those of the clients. What it reads
is named alike everywhere where it means the same:

    data_bytes, index_bytes     the sessions and their indexes
    log_bytes                   write-ahead log, append-only file: as large as it is now
    written_log_bytes           ... all that was ever written to it
    memory_bytes                what the server counts as used
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from bench.counters import mongo, postgres, redis, sqlite
from bench.phases.stage import Stage
from bench.servers.driver_errors import driver_errors
from bench.servers.local import LocalServer

Read = Callable[[], Mapping[str, float]]
"""Reads every counter, now. Raises Failed."""

READERS: Mapping[str, Callable[[str], AbstractContextManager[Read]]] = {
    "postgres": postgres.reader,
    "redis": redis.reader,
    "mongo": mongo.reader,
}
"""Kind of server -> its reader, from the URL."""

BLOCK_BYTES = 512
"""What st_blocks counts in (stat(2))."""


@contextmanager
def reader(stage: Stage) -> Iterator[Read]:
    """Open the reader of a trial's store; one that nobody knows how to ask has no counters."""
    server = stage.server
    if server is None:
        yield lambda: sqlite.read(stage.place.directory)
        return
    with ExitStack() as ends:
        with driver_errors(server.url):
            read = ends.enter_context(READERS[server.kind](server.url))

        def translated() -> Mapping[str, float]:
            with driver_errors(server.url):
                return read()

        yield translated


def settle(stage: Stage) -> None:
    """Before sizes are read: have a server write out what it puts off, if it puts off all of it."""
    if stage.server is not None and stage.server.kind == "mongo":
        with driver_errors(stage.server.url):
            mongo.checkpoint(stage.server.url)


def disk_bytes(stage: Stage) -> int | None:
    """Give what the store's folder takes on the disk; None where it isn't ours to look at."""
    if stage.server is None:
        return _allocated(stage.place.directory)
    return _allocated(stage.server.data) if isinstance(stage.server, LocalServer) else None


def _allocated(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in (".", *names):
            try:
                total += os.lstat(f"{path}/{name}").st_blocks
            except FileNotFoundError:
                # A server renames and removes its files meanwhile.
                continue
    return total * BLOCK_BYTES
