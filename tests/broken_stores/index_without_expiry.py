"""Redis: sessions expire, the subject's index of them never does."""

from dataclasses import replace

import redis as driver

from backends import redis
from backends.redis_hashes import index_key
from backends.store import Place, Policy, Profile, Session

CAUGHT_BY = 20


class IndexWithoutExpiry(redis.RedisStore):
    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        super().__init__(url, profile, policy)
        self._client = driver.Redis.from_url(url)

    def issue(self, session: Session) -> None:
        super().issue(session)
        self._client.persist(index_key(session.family.subject))

    def close(self) -> None:
        self._client.close()
        super().close()


def open_store(place: Place, profile: Profile, policy: Policy) -> IndexWithoutExpiry:
    """Open the broken store."""
    assert place.url is not None
    return IndexWithoutExpiry(place.url, profile, policy)


BACKEND = replace(redis.BACKEND, name="index_without_expiry", open=open_store)
