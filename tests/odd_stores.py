"""Stores that misbehave at the interface itself, each a factory: `tests/odd_stores.py:hangs`."""

import os
import sys
import time

from backends.memory import MemoryStore
from backends.store import Policy, Rotation, Session, Successor, Token, Verification


class Hangs(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        while True:
            time.sleep(1)


class Raises(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        raise ZeroDivisionError("odd")


class AnswersNonsense(MemoryStore):
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        return None  # type: ignore[return-value]


class Dies(MemoryStore):
    def issue(self, session: Session) -> None:
        os._exit(7)


class Prints(MemoryStore):
    def issue(self, session: Session) -> None:
        print("hello from the store")  # noqa: T201 - that is what it does
        sys.stderr.write("and to stderr\n")
        super().issue(session)


class FailsToOpen(MemoryStore):
    opened = 0

    def __init__(self, policy: Policy) -> None:
        FailsToOpen.opened += 1
        if FailsToOpen.opened > 1:
            raise OSError("no more")
        super().__init__(policy)


hangs, raises, nonsense = Hangs, Raises, AnswersNonsense
dies, prints, fails_to_open = Dies, Prints, FailsToOpen
