"""App instances behind a load balancer, and users whose requests it deals out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from scenarios.history import Event

Balancing = Literal["round robin", "sticky"]
"""round robin: each request goes to the next instance. sticky: a user's go to one and the same."""
Change = Literal["none", "restarted", "replaced"]
"""What becomes of the first instance halfway. restarted: it ends in order, and starts again where
it was. replaced: it ends in order, and another starts on a host whose disk is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Users log in, refresh again and again, and log out, each time wherever they are sent.

    A user who is refused logs in again. After a logout, every instance is shown the token.
    """

    instances: int
    balancing: Balancing
    change: Change
    apart: bool
    """Whether each instance has a store of its own, as hosts have disks and processes memory;
    otherwise all are on one."""
    users: int
    refreshes: int
    """Of each user."""
    logouts: bool
    """Whether users log out in the end, where the store can take a token back."""

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        changed = "" if self.change == "none" else f", one {self.change}"
        return f"{self.instances} instances behind a balancer, {self.balancing}{changed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """The observation of a `Balance`."""

    phase: Balance
    history: Sequence[Event]
