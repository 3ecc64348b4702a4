"""SQLite, read and then written, each in a transaction of its own."""

from dataclasses import replace

from backends.naive import naive
from backends.sql_naive import NaiveSqlStore
from backends.sqlite import BACKEND as SQLITE
from backends.sqlite import SqliteStore
from backends.store import Place, Policy, Profile


class NaiveSqliteStore(NaiveSqlStore, SqliteStore):
    """The same file and queue of writers as `sqlite`; reading is outside of the queue."""


def open_store(place: Place, profile: Profile, policy: Policy) -> NaiveSqliteStore:
    """Open the store; each thread opens the file when it first uses it."""
    return NaiveSqliteStore(place.directory, profile, policy)


BACKEND = replace(
    naive(SQLITE, "SQLite", "SELECT, then UPDATE without a condition"), open=open_store
)
