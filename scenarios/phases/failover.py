"""Live load on both sides of a fault that takes the primary away, while another takes over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from scenarios.history import Event, State
from scenarios.phases.workload import Workload

Strike = Literal["partition", "kill"]
"""partition: the primary's host, with an app instance on it, is cut off from all others.
kill: SIGKILL of the primary; it is started again when the time is over."""
Means = Literal["partition", "kill", "pause"]
"""What was really done: where hosts can't be cut off, a partition becomes a pause (SIGSTOP)."""

MAJORITY, WITH_PRIMARY = 0, 1
"""Instances of the history: the one that stays with the majority, and the primary's companion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """Two app instances on hosts of their own load a topology, and its primary is taken away."""

    strike: Strike
    workload: Workload
    connections: int
    """Of each instance."""
    before_seconds: float
    """Load before the fault, at the longest: the trial's seed draws the moment from its second
    half."""
    seconds: float
    """From the fault until it is healed."""
    through_failover: bool
    """Whether to wait longer, if need be, until another primary has taken over."""
    rate: float
    """Operations offered a second by each instance."""
    shared: int
    """Sessions whose token both instances show once, each on its side, while the fault lasts."""

    disturbs: ClassVar[bool] = True

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"load, then {self.strike} for {self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOver:
    """The observation of a `Failover`."""

    phase: Failover
    means: Means
    why_no_cut: str | None
    """Why hosts can't be cut off here; None if they can."""
    history: Sequence[Event]
    struck_ns: int
    """CLOCK_MONOTONIC, as in the history."""
    healed_ns: int
    took_over: bool
    """Whether another primary was seen when it was healed. Who is asked at that moment may see the
    old one first; and who is cut off keeps the answer waiting for up to a second, so that a
    takeover which ends right after the heal is seen, too."""
    settled_ns: int
    """When all members agreed again on one primary, and followed it."""
    recovered: Mapping[str, State | None]
    """Family id -> what the store says of it afterwards; None: it knows no such family."""
    integrity: str | None
    """What the members' own checks found wrong."""
