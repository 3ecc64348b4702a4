"""INFO of a Redis: memory, and what it does with its files and its children."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from redis import Redis

NAMES = {
    "used_memory": "memory_bytes",
    "used_memory_rss": "resident_bytes",
    "mem_fragmentation_ratio": "fragmentation",
    "aof_current_size": "log_bytes",
    "aof_rewrite_in_progress": "aof_rewriting",
    "aof_delayed_fsync": "delayed_fsyncs",
    "rdb_bgsave_in_progress": "snapshotting",
    "total_forks": "forks",
    "latest_fork_usec": "latest_fork_us",
}
"""Field of INFO -> counter."""


@contextmanager
def reader(url: str) -> Iterator[Any]:
    """Read INFO; a field that this server doesn't have, or has no use for, isn't there."""
    with Redis.from_url(url, socket_timeout=10) as client:

        def read() -> Mapping[str, float]:
            found: Mapping[str, Any] = client.info()
            return {ours: float(found[name]) for name, ours in NAMES.items() if name in found}

        yield read
