"""What an operation's end says of it: done, known not to have been done, or unknown."""

from collections.abc import Callable
from typing import NamedTuple

from backends.errors import NotSent, StoreRefused
from scenarios.history import Status

DEFINITE = (NotSent, StoreRefused)
"""Errors after which it is known that nothing was executed. What else is raised tells nothing."""


class Answer(NamedTuple):
    """How one operation ended."""

    status: Status
    outcome: str | None
    """What the store answered, or the error's name."""


def attempt(call: Callable[[], str | None]) -> Answer:
    """Make one call of a store, which may be anyone's and may raise anything."""
    try:
        return Answer("ok", call())
    except DEFINITE as error:
        return Answer("fail", type(error).__name__)
    except Exception as error:  # noqa: BLE001
        return Answer("unknown", type(error).__name__)
