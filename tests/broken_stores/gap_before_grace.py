"""Consumes the token in one step and records its grace in the next."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Policy, Rotation, Successor, Token

CAUGHT_BY = 3


class GapBeforeGrace(MemoryStore):
    def __init__(self, policy: Policy) -> None:
        super().__init__(replace(policy, grace_ms=0))
        self._grace_ms = policy.grace_ms

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.ROTATED and self._grace_ms:
            with self._lock:
                session = self._sessions[token.family]
                until_ms = now_ms + self._grace_ms
                self._sessions[token.family] = replace(session, grace_until_ms=until_ms)
        return answer


make = GapBeforeGrace
