"""PostgreSQL through psycopg's cursors, as most code uses it: the statements of `postgres`.

A call makes its query, its adapters and its row factory anew, which costs the client's CPU and
nothing else. psycopg sends nothing again by itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from backends.per_thread import PerThread
from backends.postgres import BACKEND as POSTGRES
from backends.postgres import PostgresStore
from backends.postgres_connection import BoundedConnection, connect, failure
from backends.postgres_copy import copy_in
from backends.sql import Row
from backends.statements import Statement
from backends.store import Place, Policy, Profile


class CursorStore(PostgresStore):
    """Runs the statements with `Connection.execute`, on a connection a thread."""

    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(profile, policy)
        self._connections = PerThread(lambda: connect(url), BoundedConnection.close)

    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        return self._execute(statement, values).fetchall()

    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        return self._execute(statement, values).rowcount

    def _insert_all(self, rows: Sequence[Row]) -> bool:
        return copy_in(self._connections.get(), rows)

    def _execute(
        self, statement: Statement, values: tuple[Any, ...]
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        connection = self._connections.get()
        named = dict(zip(statement.parameters, values, strict=True))
        try:
            return connection.execute(statement.percents, named)
        except (psycopg.Error, OverflowError) as error:
            broken = connection.closed
            if broken:
                self._connections.drop()
            raise failure(error, broken=broken) from error

    def close(self) -> None:
        """Close every thread's connection."""
        self._connections.close()


def open_store(place: Place, profile: Profile, policy: Policy) -> CursorStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None
    return CursorStore(place.url, profile, policy)


BACKEND = replace(
    POSTGRES,
    name="postgres-psycopg",
    title="PostgreSQL (psycopg's cursors)",
    summary="a table in PostgreSQL, through psycopg's cursors",
    open=open_store,
)
