"""Sees that another racer was first, swallows the error, and answers ROTATED."""

from contextlib import suppress

from backends.lifecycle import after_rotate, answer
from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Session, Successor, Token

CAUGHT_BY = 2


class Conflict(Exception):
    pass


class SwallowedConflict(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        if before is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(before, token, successor, device, self._policy, now_ms)
        with suppress(Conflict):
            self._replace(before, after)
        return answer(outcome, after)

    def _replace(self, before: Session, after: Session) -> None:
        with self._lock:
            if self._sessions[before.family] is not before:
                raise Conflict
            self._sessions[before.family] = after


make = SwallowedConflict
