"""Rotation writes the whole session back, over a revocation that came between."""

from backends.lifecycle import after_rotate, answer
from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 9


class LostUpdateOfRevoked(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        if before is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(before, token, successor, device, self._policy, now_ms)
        with self._lock:
            # The generation is compared, so one racer wins; whether it was revoked is not.
            unchanged = self._sessions[token.family].generation == before.generation
            if unchanged:
                self._sessions[token.family] = after
        if not unchanged:
            return self.rotate(token, successor, device, now_ms)
        return answer(outcome, after)


make = LostUpdateOfRevoked
