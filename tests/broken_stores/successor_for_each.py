"""In grace each caller gets the successor it proposed, which nobody stored."""

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 3


class SuccessorForEach(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        return Rotation(Outcome.GRACE, successor) if answer.outcome is Outcome.GRACE else answer


make = SuccessorForEach
