"""Reads the session, decides, and writes it back: two racers both win."""

from backends.lifecycle import after_rotate
from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 2


class ReadThenWrite(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        session = self._sessions.get(token.family)
        if session is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(session, token, successor, device, self._policy, now_ms)
        self._sessions[token.family] = after
        if outcome in {Outcome.ROTATED, Outcome.GRACE}:
            return Rotation(outcome, Successor(after.digest, after.idle_expires_at_ms))
        return Rotation(outcome)


make = ReadThenWrite
