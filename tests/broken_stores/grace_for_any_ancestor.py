"""Inside the window any old token is a retry, not the predecessor alone."""

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token, Verification

CAUGHT_BY = 5


class GraceForAnyAncestor(MemoryStore):
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        answer = super().verify(token, device, now_ms)
        session = answer.session
        if session is None or answer.outcome is not Outcome.REUSED:
            return answer
        in_window = now_ms < session.grace_until_ms
        return Verification(Outcome.GRACE, session) if in_window else answer

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        judged = self.verify(token, device, now_ms)
        if judged.outcome is Outcome.GRACE and judged.session is not None:
            standing = Successor(judged.session.digest, judged.session.idle_expires_at_ms)
            return Rotation(Outcome.GRACE, standing)
        return super().rotate(token, successor, device, now_ms)


make = GraceForAnyAncestor
