"""Live load with its history kept, a fault in the middle, then a look at what is left."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from scenarios.history import Event, State
from scenarios.phases.workload import Workload

FaultName = Literal[
    "restart", "crash", "powercut", "pause", "slow-disk", "disk-full", "io-error", "lost-reply"
]
ComeBack = Literal["by itself", "restarted", "never"]
"""How a store came to take writes again after a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturb:
    """Live load with its history kept, a fault in the middle, then a look at what is left."""

    fault: FaultName
    workload: Workload
    instances: int
    """Worker processes; a store that processes can't share gets one."""
    connections: int
    seconds: float
    """Load before the fault, at the longest: the trial's seed draws the moment from its second
    half."""
    outage_seconds: float = 0.5
    """How long a fault lasts that leaves the store's processes running; then it is healed."""
    rate: float
    """Operations offered a second, over all connections: bounds the history, not the store."""

    disturbs: ClassVar[bool] = True

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"load, then {self.fault}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """The observation of a `Disturb`."""

    phase: Disturb
    history: Sequence[Event]
    fault_at_ns: int
    """CLOCK_MONOTONIC when the fault was put to it, as in the history."""
    back_at_ns: int | None
    """When a first operation was answered again; None: never."""
    came_back: ComeBack = "restarted"
    recovered: Mapping[str, State | None]
    """Family id -> what the store says of it afterwards; None: it knows no such family, or can't
    read it."""
    torn: Collection[str] = ()
    """Families that the store still has something of, and can't read."""
    integrity: str | None
    """What the store's own check found wrong (PostgreSQL amcheck, SQLite integrity_check, ...)."""
