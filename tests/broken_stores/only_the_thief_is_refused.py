"""An old token is REUSED, and its family lives on."""

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 7


class OnlyTheThiefIsRefused(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        if self.verify(token, device, now_ms).outcome is Outcome.REUSED:
            return Rotation(Outcome.REUSED)
        return super().rotate(token, successor, device, now_ms)


make = OnlyTheThiefIsRefused
