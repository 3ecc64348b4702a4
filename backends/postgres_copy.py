"""Rows into PostgreSQL by COPY, in its binary format: the way its own tools fill a table."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from backends.postgres_connection import BoundedConnection, failure
from backends.sql import ISSUE, Row

TYPES = (
    *("bytea",) * 6,
    *("int8",) * 4,
    *("bytea",) * 2,
    *("int8",) * 3,
    "text",
)
"""Of the columns of `issue`, in its order: the binary format has no other way to know them."""
COPY = sql.SQL("COPY refresh_session ({}) FROM STDIN (FORMAT BINARY)").format(
    sql.SQL(", ").join(map(sql.Identifier, ISSUE.parameters))
)


def copy_in(connection: BoundedConnection, rows: Sequence[Row]) -> bool:
    """Store rows as one transaction; False, and none, if the key of one is there already.

    Raises AnswerLost, StoreRefused.
    """
    try:
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.set_types(TYPES)
            for row in rows:
                copy.write_row(row)
    except psycopg.errors.UniqueViolation:
        return False
    except (psycopg.Error, OverflowError) as error:
        raise failure(error, broken=connection.closed) from error
    return True
