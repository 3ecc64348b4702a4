"""SQLite: a database file that the processes of one host share.

SQLite's writers are serial. One that finds the file locked polls, up to 0.1 s apart, and has no
turn: among 16 that write back to back one waits for seconds, now and then past any bound. So they
queue on flock(2) of a sidecar. In WAL mode readers wait for nobody; with a rollback journal they
share the queue. A process that is stopped inside its write stops the other writers until it goes on
or dies; the kernel frees the lock of one that dies.
"""

import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from backends.errors import AnswerLost, NotSent, RefreshStoreError, StoreRefused
from backends.lifecycle import after_rotate
from backends.per_thread import PerThread
from backends.sql import ISSUE, Row, SqlStore, key
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
LOCK = "sessions.lock"
BUSY_SECONDS = 10.0
"""How long a statement waits for whoever comes past our queue: a checkpoint, a backup, a shell."""
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


class Opened:
    """What one thread has open: the database, and its place in the queue."""

    def __init__(self, directory: Path, profile: Profile, *, create: bool = False) -> None:
        mode = "rwc" if create else "rw"
        uri = f"{(directory / FILE).absolute().as_uri()}?mode={mode}"
        try:
            # A thread's connection is closed by whichever thread closes the store.
            self.database = sqlite3.connect(
                uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self.queue = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            self.database.execute(f"PRAGMA synchronous = {profile.client['synchronous']}")
        except (sqlite3.Error, OSError) as error:
            # The error keeps this frame alive, and with it whatever was opened.
            if hasattr(self, "database"):
                self.database.close()
            if hasattr(self, "queue"):
                os.close(self.queue)
            raise NotSent(f"can't open {directory / FILE}: {error}") from error

    def execute(
        self, statement: str, values: tuple[Any, ...], turn: int | None
    ) -> tuple[Sequence[Any], int]:
        """Run a statement in its turn; give the rows it returns, and how many it changed."""
        if turn is not None:
            fcntl.flock(self.queue, turn)
        try:
            cursor = self.database.execute(statement, values)
            return cursor.fetchall(), cursor.rowcount
        except (sqlite3.Error, OverflowError) as error:
            raise _failure(error) from error
        finally:
            if turn is not None:
                fcntl.flock(self.queue, fcntl.LOCK_UN)

    def insert_all(self, statement: str, rows: Sequence[Row]) -> bool:
        """Insert every row as one transaction; False, and none, if one of them is there already."""
        fcntl.flock(self.queue, fcntl.LOCK_EX)
        try:
            self.database.execute("BEGIN IMMEDIATE")
            try:
                every = self.database.executemany(statement, rows).rowcount == len(rows)
                if every:
                    self.database.execute("COMMIT")
            finally:
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
        except (sqlite3.Error, OverflowError) as error:
            raise _failure(error) from error
        finally:
            fcntl.flock(self.queue, fcntl.LOCK_UN)
        return every

    def close(self) -> None:
        """Close both."""
        self.database.close()
        os.close(self.queue)


class SqliteStore(SqlStore):
    """A connection a thread, each statement a transaction of its own."""

    revoke_subject_statement = STATEMENTS["revoke_subject"]
    sweep_sessions_statement = STATEMENTS["sweep_sessions"]

    def __init__(self, directory: Path, profile: Profile, policy: Policy) -> None:
        super().__init__(profile.capabilities, policy)
        self._reader = None if profile.client["journal_mode"] == "wal" else fcntl.LOCK_SH
        self._opened = PerThread(lambda: Opened(directory, profile), Opened.close)

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
        [[journal_mode]], _ = self._opened.get().execute("PRAGMA journal_mode", (), self._reader)
        [[synchronous]], _ = self._opened.get().execute("PRAGMA synchronous", (), None)
        return {"journal_mode": journal_mode, "synchronous": SYNCHRONOUS[synchronous]}

    def damage(self) -> str | None:
        """Run integrity_check, which reads every page and compares each index with its table."""
        try:
            rows, _ = self._opened.get().execute("PRAGMA integrity_check", (), self._reader)
        except StoreRefused as error:
            return str(error)
        said = "; ".join(row[0] for row in rows)
        return None if said == "ok" else said

    def close(self) -> None:
        """Close every thread's connection."""
        self._opened.close()

    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        return self._opened.get().execute(statement.questions, values, self._reader)[0]

    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        return self._opened.get().execute(statement.questions, values, fcntl.LOCK_EX)[1]

    def _insert_all(self, rows: Sequence[Row]) -> bool:
        return self._opened.get().insert_all(ISSUE.questions, rows)


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
    with closing(Opened(place.directory, profile, create=True)) as opened:
        try:
            opened.database.execute(f"PRAGMA journal_mode = {profile.client['journal_mode']}")
            opened.database.executescript(script("sqlite_schema"))
        except sqlite3.Error as error:
            raise _failure(error) from error


def open_store(place: Place, profile: Profile, policy: Policy) -> SqliteStore:
    """Open the store; each thread opens the file when it first uses it."""
    return SqliteStore(place.directory, profile, policy)


BACKEND = Backend(
    name="sqlite",
    title="SQLite",
    summary="a SQLite file on the application's own host",
    profiles={profile.name: profile for profile in PROFILES},
    open=open_store,
    prepare=prepare,
    control_profile="wal-normal",
    naive_backend="sqlite-naive",
)
