"""The way that is written most often: read the session, decide, write it back.

Alone it does what the contract asks. Between its reading and its writing another call can do the
same, and then both have won; or it writes a logged-out session back to life. Nothing here is to be
copied: these stores show that a race scenario sees a lost race where there is one.
"""

from abc import ABC, abstractmethod
from dataclasses import replace

from backends.lifecycle import after_rotate, answer, revoked
from backends.store import (
    Backend,
    Family,
    Lists,
    Outcome,
    Policy,
    Reason,
    Rotation,
    Session,
    Successor,
    Token,
)


class ReadDecideWrite(ABC):
    """Put before a store's own class, it takes the place of all that decides there."""

    _policy: Policy

    @abstractmethod
    def _read_session(self, family: Family) -> Session | None:
        """Read one session."""

    @abstractmethod
    def _write_session(self, session: Session) -> None:
        """Store a session over whatever is there."""

    def issue(self, session: Session) -> None:
        """Store a new session, whether or not its subject's sessions are being ended."""
        if self._read_session(session.family) is None:
            self._write_session(session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor, as the session was when it was read."""
        session = self._read_session(token.family)
        if session is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(session, token, successor, device, self._policy, now_ms)
        if after is not session:
            self._write_session(after)
        return answer(outcome, after)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session, as it was when it was read."""
        session = self._read_session(family)
        if session is not None:
            self._write_session(revoked(session, reason, now_ms))

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End the sessions of a subject that are there when it looks, one after another."""
        assert isinstance(self, Lists), self
        for session in self.sessions(subject):
            if session.family.id != except_family:
                self.revoke(session.family, reason, now_ms)


def naive(backend: Backend, where: str, summary: str) -> Backend:
    """Describe the naive way of using what `backend` uses; `where` is what it is called."""
    return replace(
        backend,
        name=f"{backend.name}-naive",
        title=f"{where}, naive",
        summary=summary,
        topologies={},
        naive_backend=None,
        naive=True,
    )
