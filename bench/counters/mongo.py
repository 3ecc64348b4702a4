"""MongoDB's serverStatus and dbStats: sizes, cache, and checkpoints."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient

OWN = ("admin", "config", "local")


def checkpoint(url: str) -> None:
    """Have everything in the data files: what is in memory and journal alone has no size there."""
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5_000) as client:
        client.admin.command("fsync")


@contextmanager
def reader(url: str) -> Iterator[Any]:
    """Read both; sizes on disk are those of the last checkpoint."""
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5_000) as client:

        def read() -> Mapping[str, float]:
            status = client.admin.command("serverStatus")
            wired = status["wiredTiger"]
            cache, transaction = wired["cache"], wired["transaction"]
            names = [name for name in client.list_database_names() if name not in OWN]
            sizes = [client[name].command("dbStats") for name in names]
            return {
                "data_bytes": float(sum(one["storageSize"] for one in sizes)),
                "index_bytes": float(sum(one["indexSize"] for one in sizes)),
                "written_log_bytes": float(wired["log"]["log bytes written"]),
                "memory_bytes": float(cache["bytes currently in the cache"]),
                "dirty_bytes": float(cache["tracked dirty bytes in the cache"]),
                "evictions_by_clients": float(cache.get("pages evicted by application threads", 0)),
                "checkpoints": float(transaction["transaction checkpoints"]),
                "checkpoint_running": float(
                    transaction["transaction checkpoint currently running"]
                ),
                "longest_checkpoint_ms": float(
                    transaction["transaction checkpoint max time (msecs)"]
                ),
            }

        yield read
