"""A wrong secret for a known session is taken for reuse, and ends it."""

from backends.memory import MemoryStore
from backends.store import Outcome, Reason, Rotation, Successor, Token

CAUGHT_BY = 11


class WrongSecretKills(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.UNKNOWN and token.family in self._sessions:
            self.revoke(token.family, Reason.REUSE, now_ms)
            return Rotation(Outcome.REUSED)
        return answer


make = WrongSecretKills
