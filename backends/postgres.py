"""PostgreSQL through psycopg: one UPDATE a rotation, prepared, on a connection a thread."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from backends.per_thread import PerThread
from backends.postgres_connection import connect, failure
from backends.postgres_copy import copy_in
from backends.postgres_prepared import PreparedStatements
from backends.postgres_topologies import TOPOLOGIES
from backends.sql import Row, SqlStore, encoded, key
from backends.statements import Statement, script, statements
from backends.store import (
    Backend,
    Capabilities,
    No,
    Outcome,
    Place,
    Policy,
    Profile,
    Reason,
    Rotation,
    Successor,
    Token,
)

STATEMENTS = statements("postgres")
ROTATE = STATEMENTS["rotate"]
SETTINGS = STATEMENTS["settings"]
OUTCOMES = {str(outcome): outcome for outcome in Outcome}
UNKNOWN = Rotation(Outcome.UNKNOWN)

NO_TTL = No("rows stay until the application sweeps them")
UP_TO_600_MS = No("up to 3 x wal_writer_delay (0.6 s) of acknowledged commits are lost")


def _profile(
    name: str, summary: str, capabilities: Capabilities, *, fsync: str, commit: str
) -> Profile:
    return Profile(
        name=name,
        summary=summary,
        capabilities=capabilities,
        server={"fsync": fsync, "synchronous_commit": commit, "full_page_writes": "on"},
    )


PROFILES = {
    profile.name: profile
    for profile in (
        _profile(
            "sync",
            "a commit is acknowledged when its WAL is on disk",
            Capabilities(native_ttl=NO_TTL),
            fsync="on",
            commit="on",
        ),
        _profile(
            "async",
            "a commit is acknowledged before its WAL is written",
            Capabilities(
                survives_crash=UP_TO_600_MS, survives_power_cut=UP_TO_600_MS, native_ttl=NO_TTL
            ),
            fsync="on",
            commit="off",
        ),
        _profile(
            "nofsync",
            "a commit is acknowledged when the operating system has its WAL",
            Capabilities(
                survives_power_cut=No("nothing is flushed to the disk; what is there may corrupt"),
                native_ttl=NO_TTL,
            ),
            fsync="off",
            commit="on",
        ),
    )
}


class PostgresStore(SqlStore):
    """What a PostgreSQL store does, whichever library runs its statements."""

    revoke_subject_statement = STATEMENTS["revoke_subject"]
    sweep_sessions_statement = STATEMENTS["sweep_sessions"]

    def __init__(self, profile: Profile, policy: Policy) -> None:
        super().__init__(profile.capabilities, policy)
        self._setting_names = list(profile.server)
        self._mismatch_reason = str(Reason.DEVICE) if policy.revoke_on_device_mismatch else None

    @abstractmethod
    def close(self) -> None:
        """Close every thread's connection."""

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        family = token.family
        grace_ms = self._policy.grace_ms
        rows = self._rows(
            ROTATE,
            (
                key(family.subject),
                key(family.id),
                token.generation,
                token.digest,
                encoded(device),
                now_ms,
                successor.digest,
                successor.idle_expires_at_ms,
                now_ms + grace_ms if grace_ms else 0,
                self._mismatch_reason,
            ),
        )
        if not rows:
            return UNKNOWN
        verdict, digest, idle_expires_at_ms = rows[0]
        outcome = OUTCOMES[verdict]
        if outcome is Outcome.ROTATED or outcome is Outcome.GRACE:
            return Rotation(outcome, Successor(digest, idle_expires_at_ms))
        return Rotation(outcome)

    def settings(self) -> Mapping[str, str]:
        """Read the settings in force on this thread's connection."""
        return dict(self._rows(SETTINGS, (self._setting_names,)))


class PsycopgStore(PostgresStore):
    """Runs the statements with psycopg alone."""

    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(profile, policy)
        self._prepared = PerThread(
            lambda: PreparedStatements(connect(url)), PreparedStatements.close
        )

    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        prepared = self._prepared.get()
        try:
            return prepared.rows(statement, values)
        except (psycopg.Error, OverflowError) as error:
            raise self._failed(prepared, error) from error

    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        prepared = self._prepared.get()
        try:
            return prepared.count(statement, values)
        except (psycopg.Error, OverflowError) as error:
            raise self._failed(prepared, error) from error

    def _insert_all(self, rows: Sequence[Row]) -> bool:
        return copy_in(self._prepared.get().connection, rows)

    def _failed(self, prepared: PreparedStatements, error: Exception) -> Exception:
        broken = prepared.connection.closed
        if broken:
            self._prepared.drop()
        return failure(error, broken=broken)

    def close(self) -> None:
        """Close every thread's connection."""
        self._prepared.close()


def prepare(place: Place, profile: Profile) -> None:
    """Create the tables in the current schema, if they aren't there."""
    del profile
    assert place.url is not None
    connection = connect(place.url)
    try:
        # Several statements at once can't be prepared. They are one transaction.
        connection.execute(script("postgres_schema"), prepare=False)
    except psycopg.Error as error:
        raise failure(error, broken=connection.closed) from error
    finally:
        connection.close()


def open_store(place: Place, profile: Profile, policy: Policy) -> PsycopgStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None
    return PsycopgStore(place.url, profile, policy)


BACKEND = Backend(
    name="postgres",
    title="PostgreSQL (psycopg)",
    summary="a table in PostgreSQL, through psycopg alone",
    profiles=PROFILES,
    open=open_store,
    prepare=prepare,
    server="postgres",
    topologies=TOPOLOGIES,
    drivers=("psycopg",),
    control_profile="async",
    naive_backend="postgres-naive",
)
