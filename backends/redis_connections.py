"""Connections to Redis for blocking threads: one each while it calls, kept for the next caller.

redis-py's `Redis` retries what failed, and says the same whether a command was sent or not. A
retried rotation looks like theft, so this speaks over `redis.Connection`: nothing is sent twice,
and every failure is known as not sent, refused, or unanswered. It also costs less client CPU.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import hiredis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MaxConnectionsError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.redis_discovery import pool

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
MOST_CONNECTIONS = 1024

REPLIES = (ResponseError, AuthenticationError, AuthorizationError, BusyLoadingError)
"""What the server itself answers; any other error of the driver means that no answer came."""


Command = tuple[str | bytes | int, ...]


# hiredis's stub allows a tuple of one alone. redis-py's packer around it looks for arguments to
# split and convert that ours never are, for a seventh of the client's CPU.
packed: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]


class NoScript(StoreRefused):
    """The server does not hold the script: it was restarted, or never had it."""


class Exchanges(Protocol):
    """A way to exchange one command for one answer, safe from any thread."""

    def exchange(self, *command: str | bytes | int) -> Any:
        """Give the answer. Raises NotSent, AnswerLost, StoreRefused."""

    def exchange_all(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Give the answers to several commands sent together. Raises what `exchange` does."""

    def close(self) -> None:
        """Disconnect. Idempotent."""


class Connections:
    """Exchanges one command for one answer. Safe from any thread; connects when first used."""

    def __init__(self, url: str) -> None:
        # Only used to make connections: a pool's own checks on each loan cost two system calls.
        self._pool = pool(
            url,
            max_connections=MOST_CONNECTIONS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            # With retry=None a URL's ?retry_on_timeout would still bring one retry.
            retry=Retry(NoBackoff(), 0),
            # RESP2 has no push messages, so that what is read is the answer.
            protocol=2,
        )
        # `redis.Connection`, which leaves its methods untyped. A deque needs no lock of ours.
        self._idle: deque[Any] = deque()
        self._closed = False

    def exchange(self, *command: str | bytes | int) -> Any:
        """Send a command once and give its answer, as the driver parsed it.

        Raises NotSent, AnswerLost, or StoreRefused with the server's own words.
        """
        connection = self._connected()
        # An answer left unread would be taken for that of the next command.
        in_step = False
        try:
            answer = self._converse(connection, command)
            in_step = True
        except NoScriptError as error:
            in_step = True
            raise NoScript(str(error)) from error
        except REPLIES as error:
            in_step = True
            raise StoreRefused(f"redis refused: {error}") from error
        except RedisError as error:
            self._drop_idle()
            # A connection found by Sentinel disconnects itself, and says so instead.
            if isinstance(error.__context__, ReadOnlyError):
                raise StoreRefused(f"redis refused: {error.__context__}") from error
            raise AnswerLost(f"redis did not answer: {error}") from error
        finally:
            self._give_back(connection, in_step)
        return answer

    def exchange_all(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Send commands one after another and give their answers, in their order.

        Their answers must fit into a socket's buffer: none is read before all are sent. Raises what
        `exchange` raises; of a command refused by the server, only once the others are answered.
        """
        connection = self._connected()
        in_step = False
        answers: list[Any] = []
        refused: RedisError | None = None
        try:
            connection.send_packed_command((b"".join(map(packed, commands)),))
            for _ in commands:
                try:
                    answers.append(connection.read_response())
                except REPLIES as error:
                    refused = error
            in_step = True
        except RedisError as error:
            self._drop_idle()
            raise AnswerLost(f"redis did not answer: {error}") from error
        finally:
            self._give_back(connection, in_step)
        if isinstance(refused, NoScriptError):
            raise NoScript(str(refused)) from refused
        if refused is not None:
            raise StoreRefused(f"redis refused: {refused}") from refused
        return answers

    def close(self) -> None:
        """Disconnect. Idempotent; a call under way keeps its connection until it is answered."""
        self._closed = True
        self._drop_idle()

    def _converse(self, connection: Any, command: tuple[str | bytes | int, ...]) -> Any:
        """Send a command and read its answer. Raises what the driver raises."""
        connection.send_packed_command((packed(command),))
        return connection.read_response()

    def _connected(self) -> Any:
        if self._closed:
            raise NotSent("the store is closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._new()
        if not connection.is_connected:
            try:
                connection.connect()
            except (RedisError, OSError) as error:
                self._idle.append(connection)
                raise NotSent(f"can't connect to redis: {error}") from error
        return connection

    def _new(self) -> Any:
        try:
            return self._pool.make_connection()
        except MaxConnectionsError as error:
            raise NotSent(f"more than {MOST_CONNECTIONS} calls at once") from error

    def _give_back(self, connection: Any, in_step: bool) -> None:  # noqa: FBT001 - a keyword costs time in the measured loop
        if not in_step:
            connection.disconnect()
        self._idle.append(connection)
        if self._closed:
            self._drop_idle()

    def _drop_idle(self) -> None:
        """Disconnect what nobody uses: after one broke, the others are suspect too."""
        dropped = []
        for _ in range(len(self._idle)):
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            connection.disconnect()
            dropped.append(connection)
        self._idle.extend(dropped)
