"""A store with the oldest bug of all: it reads, decides, and then writes, with nothing between."""

import hashlib
import time
from pathlib import Path

from backends.lifecycle import judge, rotated
from backends.store import (
    Capabilities,
    No,
    Outcome,
    Policy,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)


class RacyStore:
    """One file a session, rewritten in place, with no lock."""

    capabilities = Capabilities(revokes=No("left out"), lists_sessions=No("left out"))

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sessions: dict[Path, Session] = {}

    def issue(self, session: Session) -> None:
        path = self._path(session.family.id)
        path.write_text(f"{session.generation} {session.digest.hex()} {session.issued_at_ms}")

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        session = self._read(token)
        return Verification(judge(session, token, device, now_ms), session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        outcome, session = self.verify(token, device, now_ms)
        if outcome is not Outcome.VALID or session is None:
            return Rotation(outcome)
        # As long as a round trip to a server would take.
        time.sleep(0.001)
        self.issue(rotated(session, successor, Policy(), now_ms))
        return Rotation(Outcome.ROTATED, successor)

    def close(self) -> None:
        """Nothing is held open."""

    def _path(self, family_id: str) -> Path:
        return self._directory / hashlib.sha256(family_id.encode()).hexdigest()

    def _read(self, token: Token) -> Session | None:
        try:
            generation, digest, issued_at_ms = self._path(token.family.id).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return Session(
            family=token.family,
            client="",
            device=token.device,
            issued_at_ms=int(issued_at_ms),
            idle_expires_at_ms=token.expires_at_ms,
            absolute_expires_at_ms=token.absolute_expires_at_ms,
            digest=bytes.fromhex(digest),
            generation=int(generation),
        )


def make(directory: Path) -> RacyStore:
    """Open the store on a folder."""
    return RacyStore(directory)
