"""Redis: sends a rotation again when its answer is lost, and finds it reused."""

from dataclasses import replace

from backends import redis
from backends.errors import AnswerLost
from backends.store import Place, Policy, Profile, Rotation, Successor, Token

CAUGHT_BY = 24


class RetriesRotation(redis.RedisStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        try:
            return super().rotate(token, successor, device, now_ms)
        except AnswerLost:
            return super().rotate(token, successor, device, now_ms)


def open_store(place: Place, profile: Profile, policy: Policy) -> RetriesRotation:
    """Open the broken store."""
    assert place.url is not None
    return RetriesRotation(place.url, profile, policy)


BACKEND = replace(redis.BACKEND, name="retries_rotation", open=open_store)
