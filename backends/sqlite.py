"""SQLite: a database file that the processes of one host share."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from backends.errors import AnswerLost, NotSent, RefreshStoreError, StoreRefused
from backends.lifecycle import after_rotate
from backends.per_thread import PerThread
from backends.sql import SqlStore, key
from backends.statements import Statement, script, statements
from backends.store import (
    Backend,
    Capabilities,
    No,
    Outcome,
    Place,
    Policy,
    Profile,
    Rotation,
    Successor,
    Token,
)

STATEMENTS = statements("sqlite")
REPLACE = STATEMENTS["replace"]
FILE = "sessions.sqlite3"
BUSY_SECONDS = 10.0
"""How long a statement waits for those of others."""
SYNCHRONOUS = ("off", "normal", "full", "extra")
"""What SQLite's numbers for the setting stand for."""

ONE_HOST = No("a file of one host; SQLite's locks don't hold on network file systems")
NO_TTL = No("rows stay until the application sweeps them")


def _profile(
    journal_mode: str, synchronous: str, summary: str, *, lost: str | None = None
) -> Profile:
    return Profile(
        name=f"{journal_mode}-{synchronous}",
        summary=summary,
        capabilities=Capabilities(
            survives_power_cut=No(lost) if lost else True,
            shared_by_hosts=ONE_HOST,
            native_ttl=NO_TTL,
        ),
        client={"journal_mode": journal_mode, "synchronous": synchronous},
    )


PROFILES = (
    _profile("wal", "full", "write-ahead log, synced at each commit"),
    _profile(
        "wal",
        "normal",
        "write-ahead log, synced at checkpoints",
        lost="all commits since the last checkpoint are lost",
    ),
    _profile(
        "delete",
        "full",
        "rollback journal, synced, and deleted at each commit",
        lost="the last commit may be lost: the directory isn't synced after the journal is deleted",
    ),
    _profile("delete", "extra", "rollback journal; its directory is synced too"),
)


class SqliteStore(SqlStore):
    """A connection a thread, each statement a transaction of its own."""

    revoke_subject_statement = STATEMENTS["revoke_subject"]
    sweep_sessions_statement = STATEMENTS["sweep_sessions"]

    def __init__(self, path: Path, profile: Profile, policy: Policy) -> None:
        super().__init__(profile.capabilities, policy)
        self._setting_names = list(profile.client)
        self._connections = PerThread(
            lambda: _connect(path, profile, create=False), sqlite3.Connection.close
        )

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor.

        The database is in this process, so it is judged here and replaced if still the same: no
        lock is held while Python runs, and a refused token writes nothing. Another round means that
        another call changed the session, so some call always gets on.
        """
        family = token.family
        while True:
            held = self._find(family)
            if held is None:
                return Rotation(Outcome.UNKNOWN)
            outcome, after = after_rotate(held, token, successor, device, self._policy, now_ms)
            if after is not held:
                values = (
                    key(family.subject),
                    key(family.id),
                    held.generation,
                    held.digest,
                    after.generation,
                    after.digest,
                    after.predecessor_digest,
                    after.idle_expires_at_ms,
                    after.rotated_at_ms,
                    after.grace_until_ms,
                    after.revoked_at_ms,
                    after.revoked_reason,
                )
                if not self._count(REPLACE, values):
                    continue
            if outcome is Outcome.ROTATED or outcome is Outcome.GRACE:
                return Rotation(outcome, Successor(after.digest, after.idle_expires_at_ms))
            return Rotation(outcome)

    def settings(self) -> Mapping[str, str]:
        """Read the settings in force on this thread's connection."""
        connection = self._connections.get()
        [journal_mode] = connection.execute("PRAGMA journal_mode").fetchone()
        [synchronous] = connection.execute("PRAGMA synchronous").fetchone()
        return {"journal_mode": journal_mode, "synchronous": SYNCHRONOUS[synchronous]}

    def close(self) -> None:
        """Close every thread's connection."""
        self._connections.close()

    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        try:
            return self._connections.get().execute(statement.questions, values).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise _failure(error) from error

    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        try:
            return self._connections.get().execute(statement.questions, values).rowcount
        except (sqlite3.Error, OverflowError) as error:
            raise _failure(error) from error


def _connect(path: Path, profile: Profile, *, create: bool) -> sqlite3.Connection:
    mode = "rwc" if create else "rw"
    try:
        # A thread's connection is closed by whichever thread closes the store.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA synchronous = {profile.client['synchronous']}")
    except sqlite3.Error as error:
        raise NotSent(f"can't open {path}: {error}") from error
    return connection


def _failure(error: Exception) -> RefreshStoreError:
    # The lower byte is the kind of error, the upper one its detail (sqlite.org/rescode.html).
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind == sqlite3.SQLITE_BUSY:
        return NotSent(f"SQLite was locked by others for {BUSY_SECONDS:.0f} s")
    if kind == sqlite3.SQLITE_IOERR:
        return AnswerLost(f"SQLite can't tell whether it was written: {error}")
    return StoreRefused(f"SQLite refused: {error}")


def prepare(place: Place, profile: Profile) -> None:
    """Create the database, if it isn't there.

    The journal mode is a property of the file and is set here alone: setting it needs the file to
    oneself, which processes that open it at the same time don't have.
    """
    path = place.directory / FILE
    with closing(_connect(path, profile, create=True)) as connection:
        try:
            connection.execute(f"PRAGMA journal_mode = {profile.client['journal_mode']}")
            connection.executescript(script("sqlite_schema"))
        except sqlite3.Error as error:
            raise _failure(error) from error


def open_store(place: Place, profile: Profile, policy: Policy) -> SqliteStore:
    """Open the store; each thread opens the file when it first uses it."""
    return SqliteStore(place.directory / FILE, profile, policy)


BACKEND = Backend(
    name="sqlite",
    title="SQLite",
    summary="a SQLite file on the application's own host",
    profiles={profile.name: profile for profile in PROFILES},
    open=open_store,
    prepare=prepare,
)
