"""Redis: reads, decides, and writes in MULTI without WATCH, which compares nothing."""

from dataclasses import replace
from typing import Any

import redis as driver

from backends import redis
from backends.lifecycle import after_rotate
from backends.redis_hashes import session_key
from backends.store import (
    Outcome,
    Place,
    Policy,
    Profile,
    Rotation,
    Successor,
    Token,
)

CAUGHT_BY = 2


class MultiWithoutWatch(redis.RedisStore):
    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(url, profile, policy)
        self._client = driver.Redis.from_url(url)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self.verify(token, device, now_ms).session
        if before is None:
            return Rotation(Outcome.UNKNOWN)
        outcome, after = after_rotate(before, token, successor, device, self._policy, now_ms)
        if outcome is not Outcome.ROTATED:
            return super().rotate(token, successor, device, now_ms)
        with self._client.pipeline(transaction=True) as multi:
            changed: dict[Any, Any] = {
                "generation": after.generation,
                "digest": after.digest,
                "predecessor": after.predecessor_digest,
                "idle_expires": after.idle_expires_at_ms,
                "rotated": now_ms,
                "grace_until": after.grace_until_ms,
            }
            multi.hset(session_key(token.family), mapping=changed)
            multi.execute()
        return Rotation(outcome, Successor(after.digest, after.idle_expires_at_ms))

    def close(self) -> None:
        self._client.close()
        super().close()


def open_store(place: Place, profile: Profile, policy: Policy) -> MultiWithoutWatch:
    """Open the broken store."""
    assert place.url is not None
    return MultiWithoutWatch(place.url, profile, policy)


BACKEND = replace(redis.BACKEND, name="multi_without_watch", open=open_store)
