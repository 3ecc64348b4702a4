"""Keeps expiries as local times without a zone: one hour of autumn comes twice."""

from dataclasses import replace
from datetime import datetime

from backends.memory import MemoryStore
from backends.store import Rotation, Session, Successor, Token

CAUGHT_BY = 25


def as_stored_ms(instant_ms: int) -> int:
    seconds, rest_ms = divmod(instant_ms, 1_000)
    local = datetime.fromtimestamp(seconds)  # noqa: DTZ006 - the bug
    # A column without a zone can't say which of the two hours it is.
    return int(local.replace(fold=0).timestamp()) * 1_000 + rest_ms


class NaiveLocalDatetimes(MemoryStore):
    def issue(self, session: Session) -> None:
        super().issue(
            replace(
                session,
                idle_expires_at_ms=as_stored_ms(session.idle_expires_at_ms),
                absolute_expires_at_ms=as_stored_ms(session.absolute_expires_at_ms),
            )
        )

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        idle_ms = as_stored_ms(successor.idle_expires_at_ms)
        return super().rotate(token, successor._replace(idle_expires_at_ms=idle_ms), device, now_ms)


make = NaiveLocalDatetimes
