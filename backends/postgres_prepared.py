"""Prepared statements on psycopg's libpq layer, for a call that is measured in microseconds.

`Cursor.execute` makes its query, its adapters and its row factory anew for each call, and hands the
interpreter over several times. With 8 threads that takes two to three times the client's CPU, and
half the rotations a second. What is left out here is what a fixed set of statements doesn't need.
The values are still adapted, the answers awaited, and the errors made by psycopg.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from backends.postgres_connection import BoundedConnection
from backends.statements import Statement


class PreparedStatements:
    """One connection and the statements prepared on it, each when it is first run.

    For one thread. Raises psycopg's errors, and OverflowError for an int past 64 bits.
    """

    def __init__(self, connection: BoundedConnection) -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        # Kept, since it remembers how each type is adapted.
        self._adapters = Transformer(connection)
        self._prepared: dict[Statement, tuple[bytes, list[PyFormat]]] = {}

    def rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[tuple[Any, ...]]:
        """Run a statement and give the rows it returns."""
        result = self._run(statement, values)
        self._adapters.set_pgresult(result)
        return self._adapters.load_rows(0, result.ntuples, tuple)

    def count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        """Run a statement and give how many rows it changed."""
        return self._run(statement, values).command_tuples or 0

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _run(self, statement: Statement, values: tuple[Any, ...]) -> PGresult:
        name, formats = self._prepared.get(statement) or self._prepare(statement)
        sent = self._adapters.dump_sequence(values, formats)
        self._pgconn.send_query_prepared(name, sent, self._adapters.formats, Format.BINARY)
        return self._answer()

    def _prepare(self, statement: Statement) -> tuple[bytes, list[PyFormat]]:
        name = statement.name.encode()
        self._pgconn.send_prepare(name, statement.dollars)
        self._answer()
        prepared = name, [PyFormat.BINARY] * len(statement.parameters)
        self._prepared[statement] = prepared
        return prepared

    def _answer(self) -> PGresult:
        result: PGresult
        [result] = self.connection.wait(generators.execute(self._pgconn))
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        return result
