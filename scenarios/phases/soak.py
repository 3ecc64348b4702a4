"""Rotations at a fixed rate for a long time, and what the store says of itself meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from scenarios.cost import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """Rotate at `rate` by the clients of the last `Fill`, whatever the answers take."""

    rate: float
    """Rotations offered a second, over all clients, evenly spaced."""
    seconds: float
    interval_seconds: float
    """What is seen is gathered over so long, and the store's counters are read so often."""

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.rate:,.0f} rotations a second for {self.seconds:,.0f} s"

    @property
    def intervals(self) -> int:
        """Give the number of intervals, the last of which may be cut short."""
        return -(-int(self.seconds * 1e9) // int(self.interval_seconds * 1e9))


@dataclass(slots=True, kw_only=True)
class Interval:
    """The rotations that were due in one interval: offered = done + errors + unsent."""

    offered: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    unsent: int = 0
    """Still waiting for its client when the time was over."""
    late: int = 0
    """Sent later than due although their client was free: the generator's doing."""
    service_ns: dict[int, int] = field(default_factory=dict)
    """Histogram, from sent to answered."""
    response_ns: dict[int, int] = field(default_factory=dict)
    """Histogram, from due to answered: what a user waits, behind a stall too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What the store said of itself at one moment (`bench.counters`)."""

    at_seconds: float
    """Since the first rotation was due."""
    counters: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Soaked:
    """The observation of a `Soak`."""

    phase: Soak
    intervals: Sequence[Interval]
    ticks: Sequence[Tick]
    """One before the first interval, then one after each."""
    processes: int
    client_cpu_ns: int
    client_rss_bytes: int
    server_cpu_ns: int | None
    server_rss_bytes: int | None
    cost: Cost
