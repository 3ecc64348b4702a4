"""Takes a token from any device."""

from backends.memory import MemoryStore
from backends.store import Rotation, Successor, Token, Verification

CAUGHT_BY = 12


class DeviceNotCompared(MemoryStore):
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        return super().verify(token, token.device, now_ms)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return super().rotate(token, successor, token.device, now_ms)


make = DeviceNotCompared
