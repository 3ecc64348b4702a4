"""Redis through redis-py as it is shipped: `redis.Redis(host, port)`, its pool, its retries.

The scripts are those of `redis`; what differs is the way to the server. A command whose answer is
lost is sent again, up to ten times. A rotation that is sent again has been executed already, so the
server finds its token replaced: the driver's own retry ends the session as theft.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import redis
from redis.connection import parse_url
from redis.exceptions import NoScriptError, RedisError

from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.redis import BACKEND as REDIS
from backends.redis import RedisStore
from backends.redis_connections import REPLIES, Command, NoScript
from backends.store import No, Place, Policy, Profile

SENDS_AGAIN = No("redis-py sends a command again, up to 10 times, when its answer doesn't come")


class RedisPy:
    """Exchanges commands over `redis.Redis`."""

    def __init__(self, url: str) -> None:
        given = parse_url(url)  # type: ignore[no-untyped-call]
        ssl = given.pop("connection_class", None) is not None
        # Its constructor brings the retries; `Redis.from_url` would bring none.
        # Any, since the driver leaves `execute_command` untyped.
        self._client: Any = redis.Redis(**given, ssl=ssl)
        self._closed = False

    def exchange(self, *command: str | bytes | int) -> Any:
        """Give a command's answer, however often it took to get it.

        Never NotSent while it is open: after a lost answer, the tenth attempt may fail to connect.
        """
        return self._asked(lambda: self._client.execute_command(*command))

    def exchange_all(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Give the answers to a pipeline of commands."""
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: Sequence[Any] = self._asked(pipeline.execute)
        return answers

    def _asked(self, ask: Callable[[], Any]) -> Any:
        if self._closed:
            raise NotSent("the store is closed")
        try:
            return ask()
        except NoScriptError as error:
            raise NoScript(str(error)) from error
        except REPLIES as error:
            raise StoreRefused(f"redis refused: {error}") from error
        except RedisError as error:
            raise AnswerLost(f"redis did not answer: {error}") from error

    def close(self) -> None:
        """Disconnect. Idempotent."""
        self._closed = True
        self._client.close()


class RedisPyStore(RedisStore):
    """The scripts of `redis`, sent by redis-py as shipped."""

    def connect(self, url: str, profile: Profile) -> RedisPy:
        """Give the way its commands get to the server."""
        del profile
        return RedisPy(url)


def open_store(place: Place, profile: Profile, policy: Policy) -> RedisPyStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "redis needs a server"
    return RedisPyStore(place.url, profile, policy)


def _sending_again(profiles: Mapping[str, Profile]) -> Mapping[str, Profile]:
    return {
        name: replace(profile, capabilities=replace(profile.capabilities, sends_once=SENDS_AGAIN))
        for name, profile in profiles.items()
    }


BACKEND = replace(
    REDIS,
    name="redis-py",
    title="Redis (redis-py as shipped)",
    summary="the same scripts through redis.Redis, which sends again what was not answered",
    profiles=_sending_again(REDIS.profiles),
    # `redis.Redis` speaks to one server; for Sentinel and cluster redis-py has other clients.
    topologies={},
    open=open_store,
)
