"""Reads the session, decides, and writes it back: two racers both win."""

from backends.lifecycle import after_rotate, answer
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
        return answer(outcome, after)


make = ReadThenWrite
