"""What a property is, and what may be said of a store that was held to it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.conform.rig import Rig


class Violation(Exception):
    """The store broke the property; the text says what was done and what came back."""


class NotApplicable(Exception):
    """The property speaks of something that this store has no part in; the text says of what."""


def require(held: object, otherwise: str) -> None:
    """Raise Violation with the text unless `held`."""
    if not held:
        raise Violation(otherwise)


class Status(StrEnum):
    """What is known about one property of one store."""

    HELD = "held"
    VIOLATED = "violated"
    DECLARED = "declared"
    """The store says it can't, says why, and truly can't."""
    NOT_APPLICABLE = "n/a"
    UNDECIDED = "undecided"
    """The check crashed, ran out of time or couldn't reach the store. Never counts as held."""

    @property
    def good(self) -> bool:
        """Whether a store with this word on it passes."""
        return self not in {Status.VIOLATED, Status.UNDECIDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One thing that a refresh-token store owes, and how to find out whether it does."""

    number: int
    name: str
    says: str
    source: str
    """RFC section, or the operation of the interface that promises it."""
    consequence: str
    """What a violation lets an attacker do, or makes a user suffer."""
    check: "Callable[[Rig], str | None]"
    """Raises Violation or NotApplicable; what it returns is noted beside `held`."""
    needs: tuple[str, ...] = ()
    """Capabilities without which a store can't hold it."""
    seconds: float = 30.0
    """The check is ended after that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The word on one property."""

    number: int
    status: Status
    text: str
    """What was seen, or the declared reason; may be empty where it held."""
    seconds: float
