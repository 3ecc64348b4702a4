"""Reuse ends the family in a transaction that the refusal then rolls back."""

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 8


class Refused(Exception):
    def __init__(self, answer: Rotation) -> None:
        super().__init__(answer)
        self.answer = answer


class DeathRolledBack(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        try:
            return self._decide(token, successor, device, now_ms)
        except Refused as refused:
            if before is not None:
                self._sessions[token.family] = before
            return refused.answer

    def _decide(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.REUSED:
            raise Refused(answer)
        return answer


make = DeathRolledBack
