"""Looking past a store's interface: how much it holds, and what nothing will ever remove.

These looks know the servers, not the stores on them: keys of a Redis, rows of every table of a
database, documents of every collection, files of a folder, entries of an object's dictionaries.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backends.store import Place, RefreshStore

SQLITE_MAGIC = b"SQLite format 3\0"


def records(kind: str | None, place: Place, store: RefreshStore) -> int:
    """Count what the store holds, sessions and everything beside them."""
    match kind:
        case "redis":
            return len(redis_expiries(place))
        case "postgres":
            return _postgres_rows(place)
        case "mongo":
            return _mongo_documents(place)
        case _:
            files = [path for path in place.directory.rglob("*") if path.is_file()]
            return sum(map(_in_file, files)) if files else _in_object(store)


def redis_expiries(place: Place) -> Mapping[bytes, int]:
    """Give each key of the Redis -> when it goes, in ms since the epoch; -1 is never."""
    import redis  # noqa: PLC0415 - a driver is imported only where its server is

    assert place.url is not None
    with redis.Redis.from_url(place.url) as client:
        keys: Any = client.keys("*")
        expiries: dict[bytes, int] = {key: client.pexpiretime(key) for key in keys}
        return {key: at_ms for key, at_ms in expiries.items() if at_ms != GONE}


GONE = -2
"""What PEXPIRETIME answers of a key that isn't there (any more)."""


def _postgres_rows(place: Place) -> int:
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    assert place.url is not None
    with psycopg.connect(place.url) as connection:
        tables = connection.execute(
            "SELECT schemaname, relname FROM pg_stat_user_tables"
        ).fetchall()
        counts = [
            connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))
            ).fetchone()
            for table in tables
        ]
    return sum(count[0] for count in counts if count is not None)


def mongo_endless(place: Place) -> int:
    """Count the documents that no TTL index of their collection will ever remove."""
    total = 0
    for collection in _mongo_collections(place):
        reclaimed: list[dict[str, Any]] = [
            {field: {"$type": "date"}}
            for index in collection.list_indexes()
            if "expireAfterSeconds" in index
            for field in index["key"]
        ]
        total += collection.count_documents({"$nor": reclaimed} if reclaimed else {})
    return total


def _mongo_documents(place: Place) -> int:
    return sum(collection.count_documents({}) for collection in _mongo_collections(place))


def _mongo_collections(place: Place) -> Iterator[Any]:
    import pymongo  # noqa: PLC0415

    client: pymongo.MongoClient[Any]
    with pymongo.MongoClient(place.url) as client:
        path = urlsplit(place.url or "").path.strip("/")
        names = (
            [path]
            if path
            else [
                name
                for name in client.list_database_names()
                if name not in {"admin", "config", "local"}
            ]
        )
        for name in names:
            for collection in client[name].list_collection_names():
                if not collection.startswith("system."):
                    yield client[name][collection]


def _in_file(path: Path) -> int:
    with path.open("rb") as file:
        if file.read(len(SQLITE_MAGIC)) != SQLITE_MAGIC:
            return 1
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return sum(
            connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in tables.fetchall()
        )


def _in_object(store: RefreshStore) -> int:
    return sum(map(_entries, vars(store).values()))


def _entries(value: object) -> int:
    match value:
        case str() | bytes():
            return 0
        case Mapping():
            return sum(1 + _entries(inner) for inner in value.values())
        case Sequence() | AbstractSet() if not hasattr(value, "_fields"):
            return len(value)
        case _:
            return 0
