"""With `<=` a grace of 0 is a window of one millisecond."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Outcome, Rotation, Successor, Token

CAUGHT_BY = 4


class ZeroGraceIncluded(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        answer = super().rotate(token, successor, device, now_ms)
        if answer.outcome is Outcome.ROTATED and not self._policy.grace_ms:
            session = self._sessions[token.family]
            self._sessions[token.family] = replace(session, grace_until_ms=now_ms + 1)
        return answer


make = ZeroGraceIncluded
