"""Stores that misbehave at the interface itself, each a factory: `tests/odd_stores.py:hangs`."""

import os
import socket
import sys
import time
from dataclasses import replace

from backends.memory import BACKEND, MemoryStore
from backends.store import (
    Place,
    Policy,
    Profile,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)


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


class Exits(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        sys.exit(3)


class DiesAtOnce(MemoryStore):
    def __init__(self, policy: Policy) -> None:
        os._exit(0)


class HangsAtOnce(MemoryStore):
    def __init__(self, policy: Policy) -> None:
        time.sleep(3_600)


class Leaks(MemoryStore):
    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        for end in socket.socketpair():
            end.detach()


def unprepared(place: Place, profile: Profile) -> None:
    raise RuntimeError("no room\nfor a table")


exits, dies_at_once, hangs_at_once, leaks = Exits, DiesAtOnce, HangsAtOnce, Leaks
NOT_READY = replace(BACKEND, prepare=unprepared)
