"""Redis, HMGET and then HSET: each atomic, the two together not."""

from dataclasses import replace

from backends.naive import ReadDecideWrite, naive
from backends.redis import BACKEND as REDIS
from backends.redis import RedisStore, keep_ms
from backends.redis_hashes import FIELDS, index_key, session_key, to_hash, to_session
from backends.store import Family, Place, Policy, Profile, Session


class NaiveRedisStore(ReadDecideWrite, RedisStore):
    """The same hashes and connections as `redis`, without its scripts."""

    def _read_session(self, family: Family) -> Session | None:
        values = self._connections.exchange("HMGET", session_key(family), *FIELDS)
        return None if values[0] is None else to_session(family, values)

    def _write_session(self, session: Session) -> None:
        family = session.family
        self._connections.exchange("HSET", session_key(family), *to_hash(session))
        self._connections.exchange("SADD", index_key(family.subject), family.id)
        expires = max(session.idle_expires_at_ms, session.absolute_expires_at_ms)
        for key in (session_key(family), index_key(family.subject)):
            self._connections.exchange("PEXPIRE", key, keep_ms(expires, session.issued_at_ms))


def open_store(place: Place, profile: Profile, policy: Policy) -> NaiveRedisStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "redis needs a server"
    return NaiveRedisStore(place.url, profile, policy)


BACKEND = replace(naive(REDIS, "Redis", "HMGET, then HSET"), open=open_store)
