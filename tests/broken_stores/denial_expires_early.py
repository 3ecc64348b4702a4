"""Redis: a denial lives as long as an access token, by EXPIRE."""

from dataclasses import replace

import redis as driver

from backends import redis
from backends.redis_hashes import denied_key
from backends.store import Place, Policy, Profile

CAUGHT_BY = 23


class DenialExpiresEarly(redis.RedisStore):
    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(url, profile, policy)
        self._client = driver.Redis.from_url(url)

    def deny(self, digest: bytes, until_ms: int) -> None:
        super().deny(digest, until_ms)
        self._client.expire(denied_key(digest), 900)

    def close(self) -> None:
        self._client.close()
        super().close()


def open_store(place: Place, profile: Profile, policy: Policy) -> DenialExpiresEarly:
    """Open the broken store."""
    assert place.url is not None
    return DenialExpiresEarly(place.url, profile, policy)


BACKEND = replace(redis.BACKEND, name="denial_expires_early", open=open_store)
