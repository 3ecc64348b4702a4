"""What a check calls a store through: an application with one device and a clock that stands."""

import secrets
from dataclasses import replace
from typing import Any, NamedTuple

from backends.store import Family, Outcome, Session, Successor, Token, Verification
from bench.conform.property import Violation
from bench.conform.watched import Watched

DEVICE = "thumbprint-of-the-device"
OTHER_DEVICE = "thumbprint-of-another"
DAY_MS = 86_400_000
IDLE_MS = 30 * DAY_MS
ABSOLUTE_MS = 90 * DAY_MS
SECRET_BYTES = 32


class Rotated(NamedTuple):
    """What came of a rotation."""

    outcome: Outcome
    stands: Successor | None
    """The successor that the store says stands."""
    token: Token
    """The one that was proposed."""


class Caller:
    """Calls one store. `now_ms` is an instant of the real clock, so a native TTL does no harm."""

    def __init__(self, store: Watched, now_ms: int) -> None:
        self.store = store
        self.now_ms = now_ms

    def session(self, subject: str | None = None, **changes: Any) -> Session:
        """Make a session that no store has seen."""
        return new_session(self.now_ms, subject, **changes)

    def login(self, subject: str | None = None, **changes: Any) -> Token:
        """Issue a session and give its first token."""
        session = self.session(subject, **changes)
        self.store.issue(session)
        return token_of(session)

    def verify(self, token: Token, at_ms: int | None = None, device: str = DEVICE) -> Verification:
        """Verify a token, now unless told otherwise."""
        return self.store.verify(token, device, self.now_ms if at_ms is None else at_ms)

    def rotate(
        self,
        token: Token,
        at_ms: int | None = None,
        device: str = DEVICE,
        idle_expires_at_ms: int | None = None,
    ) -> Rotated:
        """Rotate a token, now unless told otherwise."""
        at_ms = self.now_ms if at_ms is None else at_ms
        wanted_ms = at_ms + IDLE_MS if idle_expires_at_ms is None else idle_expires_at_ms
        proposed = Successor(new_digest(), wanted_ms)
        answer = self.store.rotate(token, proposed, device, at_ms)
        return Rotated(answer.outcome, answer.successor, next_token(token, proposed))

    def rotated(self, token: Token, at_ms: int | None = None) -> Token:
        """Rotate a good token and give its successor. Raises Violation if it is refused."""
        answer = self.rotate(token, at_ms)
        if answer.outcome is not Outcome.ROTATED:
            raise Violation(
                f"rotating the current token of a live session was answered {answer.outcome}"
            )
        return answer.token

    def held(self, token: Token) -> Session:
        """Give the session as the store holds it. Raises Violation if it shows none."""
        session = self.verify(token).session
        if session is None:
            raise Violation("verify shows no session where one was issued")
        return session

    def expect(
        self, token: Token, outcome: Outcome, when: str, at_ms: int | None = None, **how: Any
    ) -> None:
        """Verify a token. Raises Violation unless `outcome` is the answer."""
        answer = self.verify(token, at_ms, **how).outcome
        if answer is not outcome:
            raise Violation(f"{when}: verify answered {answer}, not {outcome}")

    def expect_rotate(
        self, token: Token, outcome: Outcome, when: str, at_ms: int | None = None, **how: Any
    ) -> Rotated:
        """Rotate a token. Raises Violation unless `outcome` is the answer."""
        answer = self.rotate(token, at_ms, **how)
        if answer.outcome is not outcome:
            raise Violation(f"{when}: rotate answered {answer.outcome}, not {outcome}")
        return answer


def new_name(kind: str) -> str:
    """Give a name that nothing else has."""
    return f"{kind}-{secrets.token_hex(8)}"


def new_digest() -> bytes:
    """Give the digest of a token that nobody holds."""
    return secrets.token_bytes(SECRET_BYTES)


def new_session(now_ms: int, subject: str | None = None, **changes: Any) -> Session:
    """Make a session that begins now, with fields changed at will."""
    session = Session(
        family=Family(subject or new_name("subject"), new_name("family")),
        client="client-1",
        device=DEVICE,
        issued_at_ms=now_ms,
        idle_expires_at_ms=now_ms + IDLE_MS,
        absolute_expires_at_ms=now_ms + ABSOLUTE_MS,
        digest=new_digest(),
    )
    return replace(session, **changes)


def token_of(session: Session) -> Token:
    """Give the session's current token."""
    return Token(
        session.family,
        session.generation,
        session.digest,
        session.idle_expires_at_ms,
        session.absolute_expires_at_ms,
        session.device,
    )


def next_token(token: Token, successor: Successor) -> Token:
    """Give the token one generation on."""
    return token._replace(
        generation=token.generation + 1,
        digest=successor.digest,
        expires_at_ms=min(successor.idle_expires_at_ms, token.absolute_expires_at_ms),
    )
