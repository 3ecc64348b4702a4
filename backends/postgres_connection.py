"""How both PostgreSQL stores connect, and what their driver's errors mean.

The two share every connection setting, so that what differs between them is the mapper alone.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from backends.errors import AnswerLost, NotSent, StoreRefused

RV = TypeVar("RV")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
"""Then the server gives a statement up: it answers with an error, and nothing was executed."""
ANSWER_SECONDS = 12.0
"""Then the client gives the server up. Later than the server's own bound, whose answer is clear."""


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which a stalled server, or a silent network, holds nobody for ever."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer as psycopg does, but no longer than ANSWER_SECONDS."""
        try:
            return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
        except psycopg.OperationalError:
            # The answer may still come, and would be taken for that of the next statement.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def connect(url: str) -> BoundedConnection:
    """Connect for statements that commit one by one. Raises NotSent."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        # The driver's message quotes the URL, with its password.
        raise NotSent(
            "not a PostgreSQL URL; it looks like postgresql://user@host:port/db"
        ) from None
    bounded = make_conninfo(
        url,
        connect_timeout=given.get("connect_timeout") or CONNECT_SECONDS,
        # The statements rely on READ COMMITTED, and a server's default may be another.
        options=f"{given.get('options') or ''} -c default_transaction_isolation=read\\ committed"
        f" -c statement_timeout={STATEMENT_SECONDS}s",
    )
    try:
        connection = BoundedConnection.connect(bounded, autocommit=True, prepare_threshold=0)
    except psycopg.Error as error:
        raise NotSent(f"can't connect to PostgreSQL: {_first_line(error)}") from error
    # Otherwise an int's size decides its type, and each mix of types is prepared anew.
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    return connection


def failure(error: BaseException, *, broken: bool) -> AnswerLost | StoreRefused:
    """Say what a driver's error on a connection, `broken` or not since, tells of the statement."""
    if broken or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None):
        return AnswerLost(f"no answer from PostgreSQL: {_first_line(error)}")
    return StoreRefused(f"PostgreSQL refused: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    """Leave out the lines that quote the statement and its values."""
    return str(error).partition("\n")[0]
