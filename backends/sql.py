"""What every SQL store does alike: which statements an operation takes, and row <-> session."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from backends.batches import batches
from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.lifecycle import judge
from backends.memory import LATEST_ISSUE_MS
from backends.statements import Statement, statements
from backends.store import (
    Capabilities,
    Family,
    Policy,
    Reason,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)

SHARED = statements("shared")
ISSUE = SHARED["issue"]
END_IF_SUBJECT_REVOKED = SHARED["end_if_subject_revoked"]
ANY_REVOCATION = SHARED["any_revocation"]
FIND = SHARED["find"]
SESSIONS = SHARED["sessions"]
REVOKE = SHARED["revoke"]
REMEMBER_REVOCATION = SHARED["remember_revocation"]
DENY = SHARED["deny"]
IS_DENIED = SHARED["is_denied"]
SWEEP_DENIALS = SHARED["sweep_denials"]
SWEEP_REVOCATIONS = SHARED["sweep_revocations"]

LONGEST_KEY = 1_000
"""Bytes of a subject or family that go into the primary key as they are."""


def encoded(text: str) -> bytes:
    """Give the bytes that are stored for a text. Raises StoreRefused: a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise StoreRefused(f"no Unicode text: {error.reason} at {error.start}") from error


def key(text: str) -> bytes:
    """Give what stands for a subject or family in the primary key; see postgres_schema.sql."""
    raw = encoded(text)
    return raw if len(raw) <= LONGEST_KEY else b"\xff" + sha256(raw).digest()


def _too_long(text: str) -> bytes | None:
    raw = encoded(text)
    return raw if len(raw) > LONGEST_KEY else None


Row = tuple[Any, ...]
"""A new session's values, in the order of `issue`; the first two are its key."""


def row_of(session: Session) -> Row:
    """Give a session's row, in the order of `issue`. Raises StoreRefused: a lone surrogate."""
    subject, family = session.family
    return (
        key(subject),
        key(family),
        _too_long(subject),
        _too_long(family),
        encoded(session.client),
        encoded(session.device),
        session.issued_at_ms,
        session.absolute_expires_at_ms,
        session.idle_expires_at_ms,
        session.generation,
        session.digest,
        session.predecessor_digest,
        session.rotated_at_ms,
        session.grace_until_ms,
        session.revoked_at_ms,
        session.revoked_reason,
    )


def session_from(family: Family, row: Sequence[Any]) -> Session:
    """Give the session in a row that begins with the columns of `find`."""
    return Session(
        family=family,
        client=row[0].decode(),
        device=row[1].decode(),
        issued_at_ms=row[2],
        absolute_expires_at_ms=row[3],
        idle_expires_at_ms=row[4],
        generation=row[5],
        digest=row[6],
        predecessor_digest=row[7],
        rotated_at_ms=row[8],
        grace_until_ms=row[9],
        revoked_at_ms=row[10],
        revoked_reason=None if row[11] is None else Reason(row[11]),
    )


class SqlStore(ABC):
    """A store in a database: everything but how a statement is run and a token rotated."""

    revoke_subject_statement: Statement
    sweep_sessions_statement: Statement

    def __init__(self, capabilities: Capabilities, policy: Policy) -> None:
        self.capabilities = capabilities
        self._policy = policy

    @abstractmethod
    def _rows(self, statement: Statement, values: tuple[Any, ...]) -> Sequence[Any]:
        """Run a statement, committed when this returns, and give the rows it returns."""

    @abstractmethod
    def _count(self, statement: Statement, values: tuple[Any, ...]) -> int:
        """Run a statement, committed when this returns, and give how many rows it changed."""

    @abstractmethod
    def _insert_all(self, rows: Sequence[Row]) -> bool:
        """Insert all, committed when this returns; False, and none, if a family is there already.

        Raises AnswerLost where it may have been done.
        """

    @abstractmethod
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""

    def issue(self, session: Session) -> None:
        """Store a new session.

        None slips past `revoke_subject`, which commits the subject's revocation first and ends the
        sessions second. This commits the session first and looks for a revocation second. Either
        the session was there when those were ended, or the revocation was there when this looked.
        """
        self._issue(row_of(session))

    def load(self, sessions: Iterable[Session]) -> int:
        """Store many new sessions; each batch is a transaction.

        A batch with a family that is there already is issued one by one. As in `issue`, revocations
        are looked for once the sessions are committed.
        """
        added = 0
        for batch in batches(sessions):
            rows = [row_of(session) for session in batch]
            if not self._insert_all(rows):
                added += sum(map(self._issue, rows))
                continue
            added += len(rows)
            if self._rows(ANY_REVOCATION, (1,)):
                for row in rows:
                    self._then(END_IF_SUBJECT_REVOKED, row[:2])
        return added

    def _issue(self, row: Row) -> bool:
        """Store a session, unless its family is there; say whether it is new."""
        if not self._count(ISSUE, row):
            return False
        self._then(END_IF_SUBJECT_REVOKED, row[:2])
        return True

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        session = self._find(token.family)
        return Verification(judge(session, token, device, now_ms), session)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        self._count(REVOKE, (key(family.subject), key(family.id), reason, now_ms))

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one; see `issue` for the order of the two."""
        spared = None if except_family is None else key(except_family)
        self._count(REMEMBER_REVOCATION, (key(subject), now_ms))
        self._then(self.revoke_subject_statement, (key(subject), reason, now_ms, spared))

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        self._count(DENY, (digest, until_ms))

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        return bool(self._rows(IS_DENIED, (digest,)))

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        rows = self._rows(SESSIONS, (key(subject),))
        return [session_from(Family(subject, row[-1].decode()), row) for row in rows]

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove expired sessions; past denials and revocations too, `limit` of each at most."""
        swept = self._count(self.sweep_sessions_statement, (now_ms, limit))
        self._count(SWEEP_DENIALS, (now_ms, limit))
        self._count(SWEEP_REVOCATIONS, (now_ms - LATEST_ISSUE_MS, limit))
        return swept

    def _find(self, family: Family) -> Session | None:
        rows = self._rows(FIND, (key(family.subject), key(family.id)))
        return session_from(family, rows[0]) if rows else None

    def _then(self, statement: Statement, values: tuple[Any, ...]) -> None:
        """Run the second statement of an operation whose first is committed."""
        try:
            self._count(statement, values)
        except (NotSent, StoreRefused) as error:
            raise AnswerLost(f"executed by half, {statement.name} failed: {error}") from error
