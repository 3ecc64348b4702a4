"""PostgreSQL through SQLAlchemy Core: the same statements on the same connections as `postgres`.

The cheap documented way: AUTOCOMMIT on the engine, and a `Connection` kept by each thread. Opening
a transaction for each call would cost two more round trips.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, NullPool, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError

from backends.errors import NotSent
from backends.per_thread import PerThread
from backends.postgres import PROFILES, STATEMENTS, PostgresStore, prepare
from backends.postgres_connection import connect, failure
from backends.postgres_copy import copy_in
from backends.postgres_topologies import TOPOLOGIES
from backends.sql import SHARED, Row
from backends.statements import Statement
from backends.store import Backend, Place, Policy, Profile

CLAUSES: dict[Statement, TextClause] = {
    statement: text(statement.named) for statement in [*SHARED.values(), *STATEMENTS.values()]
}


class SqlAlchemyStore(PostgresStore):
    """Runs the statements on a kept `Connection` of SQLAlchemy Core."""

    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(profile, policy)
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(url),
            isolation_level="AUTOCOMMIT",
            # Each thread keeps its connection; a pool beneath would keep closed ones open.
            poolclass=NullPool,
        )
        self._connections: PerThread[Connection] = PerThread(self._connect, Connection.close)

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except DBAPIError as error:
            # The engine's first connection asks the server who it is.
            raise NotSent(f"can't connect to PostgreSQL: {error.orig}") from error

    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        return self._execute(statement, values).fetchall()

    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        return self._execute(statement, values).rowcount

    def _insert_all(self, rows: Sequence[Row]) -> bool:
        # SQLAlchemy has no COPY: its documented way is the driver's own connection.
        driver: Any = self._connections.get().connection.driver_connection
        return copy_in(driver, rows)

    def _execute(self, statement: Statement, values: tuple[Any, ...]) -> CursorResult[Any]:
        connection = self._connections.get()
        try:
            named = dict(zip(statement.parameters, values, strict=True))
            return connection.execute(CLAUSES[statement], named)
        except OverflowError as error:
            raise failure(error, broken=False) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                self._connections.drop()
            raise failure(error.orig or error, broken=error.connection_invalidated) from error

    def close(self) -> None:
        """Close every thread's connection."""
        self._connections.close()
        self._engine.dispose()


def open_store(place: Place, profile: Profile, policy: Policy) -> SqlAlchemyStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None
    return SqlAlchemyStore(place.url, profile, policy)


BACKEND = Backend(
    name="postgres-sqlalchemy",
    title="PostgreSQL (SQLAlchemy)",
    summary="a table in PostgreSQL, through SQLAlchemy Core",
    profiles=PROFILES,
    open=open_store,
    prepare=prepare,
    server="postgres",
    topologies=TOPOLOGIES,
    drivers=("sqlalchemy", "psycopg"),
    control_profile="async",
    naive_backend="postgres-naive",
)
