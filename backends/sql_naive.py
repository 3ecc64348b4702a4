"""The naive way in SQL: SELECT, decide, and an UPDATE with no condition on what was read."""

from backends.naive import ReadDecideWrite
from backends.sql import SqlStore, row_of
from backends.statements import statements
from backends.store import Family, Session

OVERWRITE = statements("naive")["overwrite"]


class NaiveSqlStore(ReadDecideWrite, SqlStore):
    """Each statement is a transaction, so that nothing holds the two together."""

    def _read_session(self, family: Family) -> Session | None:
        return self._find(family)

    def _write_session(self, session: Session) -> None:
        self._count(OVERWRITE, row_of(session))
