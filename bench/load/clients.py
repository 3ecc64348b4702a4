"""The clients that a workload plays: who they are, and the tokens they hold.

A client thread owns its sessions, so that nobody but a race scenario contends for one. Tokens
here are claims and digests, as a store sees them: minting and parsing JWTs is measured apart.
"""

import random
from typing import NamedTuple

from backends.store import Family, Session, Successor, Token

IDLE_MS = 7 * 86_400_000
ABSOLUTE_MS = 30 * 86_400_000
SESSIONS_A_SUBJECT = 4


class Held(NamedTuple):
    """One live session at its client: what the next token it shows must say."""

    family: Family
    generation: int
    digest: bytes
    issued_at_ms: int
    device: str

    def token(self) -> Token:
        """Give the current token, as a store is shown it."""
        issued_at_ms = self.issued_at_ms
        return Token(
            self.family,
            self.generation,
            self.digest,
            issued_at_ms + IDLE_MS,
            issued_at_ms + ABSOLUTE_MS,
            self.device,
        )

    def after(self, successor: Successor) -> "Held":
        """Give the session as it is held after a rotation."""
        return self._replace(generation=self.generation + 1, digest=successor.digest)


class Clients:
    """Makes sessions and successors for one client thread, the same again from the same seed."""

    def __init__(self, seed: int, name: str) -> None:
        self.random = random.Random(f"{seed}/{name}")  # noqa: S311 - must repeat from its seed
        # A store that outlives its trial must not meet the same family again.
        self._name = f"{seed:x}-{name}"
        self._opened = 0

    def open_session(self, now_ms: int, *, bound: bool = True) -> tuple[Session, Held]:
        """Make a new session, `bound` to a device or not, and the client's side of it."""
        subject = f"{self._name}-{self._opened // SESSIONS_A_SUBJECT}"
        family = Family(subject, f"{subject}.{self._opened}")
        self._opened += 1
        digest = self.random.randbytes(32)
        device = f"device-{self._opened % 7}" if bound else ""
        session = Session(
            family=family,
            client="bench",
            device=device,
            issued_at_ms=now_ms,
            idle_expires_at_ms=now_ms + IDLE_MS,
            absolute_expires_at_ms=now_ms + ABSOLUTE_MS,
            digest=digest,
        )
        return session, Held(family, 0, digest, now_ms, device)

    def successor(self, now_ms: int) -> Successor:
        """Propose the next token of a session."""
        return Successor(self.random.randbytes(32), now_ms + IDLE_MS)


def subject_of(family_id: str) -> str:
    """Give the subject of a family that `Clients` named: a history keeps only the family's id."""
    return family_id.rpartition(".")[0]
