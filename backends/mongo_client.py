"""A client of MongoDB that waits a bounded time, and says what failed.

Unless asked for, the driver's own retries are off, so that nothing is sent twice.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bson.codec_options import DatetimeConversion
from pymongo import MongoClient
from pymongo.errors import (
    ConnectionFailure,
    InvalidOperation,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from backends.errors import AnswerLost, NotSent, RefreshStoreError, StoreRefused
from backends.store import Profile

CONNECT_MS = 5_000
ANSWER_MS = 10_000
MOST_CONNECTIONS = 256

NOT_WRITABLE = frozenset({10058, 10107, 13435, 13436})
"""Not a primary, so not executed. The other codes of a change of state, and of a shutdown, may
interrupt an operation after it was executed (MongoDB error codes)."""
CONNECTING = "SystemOverloadedError"
"""pymongo's label for what failed while it opened a connection, and for load that was shed."""


def connected(url: str, profile: Profile, *, retries: bool) -> MongoClient[dict[str, Any]]:
    """Give a client with the profile's concerns, that connects when it is first used.

    How long it waits is ours to say where the URL doesn't.
    """
    concerns: Mapping[str, Any] = profile.client
    limits_ms: Mapping[str, Any] = {
        "connectTimeoutMS": CONNECT_MS,
        "serverSelectionTimeoutMS": CONNECT_MS,
        "waitQueueTimeoutMS": CONNECT_MS,
        "socketTimeoutMS": ANSWER_MS,
    }
    named = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
    return MongoClient(
        url,
        connect=False,
        retryWrites=retries,
        retryReads=retries,
        maxPoolSize=MOST_CONNECTIONS,
        # A date in the year 9999 and a margin is more than Python's datetime holds.
        datetime_conversion=DatetimeConversion.DATETIME_MS,
        **{name: value for name, value in limits_ms.items() if name.lower() not in named},
        **concerns,
    )


@contextmanager
def translated(*, begun: bool = False) -> Iterator[None]:
    """Turn an error of the driver into NotSent, AnswerLost or StoreRefused.

    `begun` says that an earlier step of the same operation was executed, so that whatever fails
    now, it can't be called not executed: AnswerLost.
    """
    try:
        yield
    except PyMongoError as error:
        if begun:
            raise AnswerLost(f"mongo did a part of this: {error}") from error
        raise _ours(error) from error


def _ours(error: PyMongoError) -> RefreshStoreError:
    match error:
        case ServerSelectionTimeoutError() | WaitQueueTimeoutError():
            return NotSent(f"can't connect to mongo: {error}")
        case InvalidOperation():
            return NotSent(f"the store is closed: {error}")
        case NotPrimaryError(details={"code": code}) if code in NOT_WRITABLE:
            return StoreRefused(f"mongo refused: {error}")
        case ConnectionFailure() if error.has_error_label(CONNECTING):
            return NotSent(f"can't connect to mongo: {error}")
        case WriteConcernError():
            # Executed, but not as durably as the profile promises: it may yet be rolled back.
            return AnswerLost(f"mongo executed this without its guarantee: {error}")
        case OperationFailure():
            return StoreRefused(f"mongo refused: {error}")
        case _:
            return AnswerLost(f"mongo did not answer: {error}")
