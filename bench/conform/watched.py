"""A store under watch: what it raises or returns against the interface is told as a violation."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from backends.errors import RefreshStoreError
from backends.store import (
    Capabilities,
    Family,
    Lists,
    Outcome,
    Reason,
    RefreshStore,
    Revokes,
    Rotation,
    Session,
    Successor,
    Sweeps,
    Token,
    Verification,
)
from bench.conform.property import Violation

_in_flight: dict[int, tuple[str, float]] = {}


def in_flight() -> Sequence[tuple[str, float]]:
    """Give what the store is asked for and has not answered: what, and for how many seconds."""
    now = time.monotonic()
    return [(method, now - since) for method, since in list(_in_flight.values())]


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Have `in_flight` name what this thread waits for meanwhile."""
    thread = threading.get_ident()
    _in_flight[thread] = (what, time.monotonic())
    try:
        yield
    finally:
        del _in_flight[thread]


class Watched:
    """Forwards to a store. Raises Violation for a wrong type or an exception of no kind of ours.

    A RefreshStoreError passes: what it means depends on what is being checked.
    """

    def __init__(self, store: RefreshStore) -> None:
        self.store = store

    @property
    def capabilities(self) -> Capabilities:
        """What the store declares."""
        declared = self.store.capabilities
        if not isinstance(declared, Capabilities):
            raise Violation(f"capabilities is {declared!r}, not a Capabilities")
        return declared

    @property
    def sweeps(self) -> bool:
        """Whether it has `sweep`."""
        return isinstance(self.store, Sweeps)

    def issue(self, session: Session) -> None:
        """Store a session."""
        self._call("issue", self.store.issue, session)

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        answer = self._call("verify", self.store.verify, token, device, now_ms)
        if not (
            isinstance(answer, Verification)
            and isinstance(answer.outcome, Outcome)
            and isinstance(answer.session, Session | None)
        ):
            raise Violation(f"verify returned {answer!r}, not a Verification")
        return answer

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Rotate a token."""
        answer = self._call("rotate", self.store.rotate, token, successor, device, now_ms)
        if not (
            isinstance(answer, Rotation)
            and isinstance(answer.outcome, Outcome)
            and isinstance(answer.successor, Successor | None)
        ):
            raise Violation(f"rotate returned {answer!r}, not a Rotation")
        accepted = answer.outcome in {Outcome.ROTATED, Outcome.GRACE}
        if accepted != (answer.successor is not None):
            raise Violation(
                f"rotate returned {answer!r}: a successor belongs to ROTATED and GRACE alone"
            )
        return answer

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End a session."""
        self._call("revoke", self._revokes().revoke, family, reason, now_ms)

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End a subject's sessions."""
        revoke = self._revokes().revoke_subject
        self._call("revoke_subject", revoke, subject, reason, now_ms, except_family)

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        self._call("deny", self._revokes().deny, digest, until_ms)

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        answer = self._call("is_denied", self._revokes().is_denied, digest)
        if not isinstance(answer, bool):
            raise Violation(f"is_denied returned {answer!r}, neither True nor False")
        return answer

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        if not isinstance(self.store, Lists):
            raise Violation("declares that it lists sessions, and has no sessions()")
        answer = self._call("sessions", self.store.sessions, subject)
        if not isinstance(answer, Sequence) or not all(isinstance(s, Session) for s in answer):
            raise Violation(f"sessions returned {answer!r}, not a sequence of Session")
        return answer

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove what has expired."""
        assert isinstance(self.store, Sweeps), self.store
        answer = self._call("sweep", self.store.sweep, now_ms, limit)
        if not isinstance(answer, int) or answer < 0:
            raise Violation(f"sweep returned {answer!r}, not how many it removed")
        return answer

    def close(self) -> None:
        """Close the store."""
        self._call("close", self.store.close)

    def _revokes(self) -> Revokes:
        if not isinstance(self.store, Revokes):
            raise Violation("declares that it revokes, and lacks a method of Revokes")
        return self.store

    def _call(self, method: str, function: Callable[..., Any], *args: object) -> Any:
        try:
            with waiting_for(method):
                return function(*args)
        except RefreshStoreError:
            raise
        # SystemExit too: what a store raises must not end the process that checks it.
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise Violation(
                f"{method} raised {type(error).__name__}: {error}"
                f" ({where.filename.rpartition('/')[2]}:{where.lineno});"
                " a store answers, or raises a RefreshStoreError"
            ) from error
