"""Rounds expiries to whole seconds, the unit of EXPIRE and of JWT libraries."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Rotation, Session, Successor, Token

CAUGHT_BY = 15


def rounded_ms(instant_ms: int) -> int:
    return round(instant_ms / 1_000) * 1_000


class SecondRoundedExpiry(MemoryStore):
    def issue(self, session: Session) -> None:
        super().issue(replace(session, idle_expires_at_ms=rounded_ms(session.idle_expires_at_ms)))

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        idle_ms = rounded_ms(successor.idle_expires_at_ms)
        return super().rotate(token, successor._replace(idle_expires_at_ms=idle_ms), device, now_ms)


make = SecondRoundedExpiry
