"""PostgreSQL, read and then written, each in a transaction of its own."""

from dataclasses import replace

from backends.naive import naive
from backends.postgres import BACKEND as POSTGRES
from backends.postgres import PsycopgStore
from backends.sql_naive import NaiveSqlStore
from backends.store import Place, Policy, Profile


class NaivePostgresStore(NaiveSqlStore, PsycopgStore):
    """The same statements and connections as `postgres`, but for the writing."""


def open_store(place: Place, profile: Profile, policy: Policy) -> NaivePostgresStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None
    return NaivePostgresStore(place.url, profile, policy)


BACKEND = replace(
    naive(POSTGRES, "PostgreSQL", "SELECT, then UPDATE without a condition"), open=open_store
)
