"""Closed loop: a number of clients, each as fast as it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from scenarios.cost import Cost
from scenarios.phases.workload import Operation, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Closed loop: `connections` clients with a connection each, as fast as they are answered."""

    name: str
    workload: Workload
    connections: int
    seconds: float
    warmup_seconds: float = 0.1
    most_calls: int = 400_000
    """It ends early once so many calls were made: they are prepared beforehand, in memory."""

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.name}, {self.connections} connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What became of one operation in a `Measure`."""

    latency_ns: Mapping[int, int]
    """Histogram of the calls that ended as expected: bucket -> count (`scenarios.histogram`)."""
    minimum_ns: int
    maximum_ns: int
    errors: Mapping[str, int] = field(default_factory=dict)
    """Kind (an exception's name, or the unexpected outcome) -> count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The observation of a `Measure`."""

    phase: Measure
    samples: Mapping[Operation, Samples]
    elapsed_ns: int
    """From the first client's start to the last one's end."""
    processes: int
    """Worker processes that the connections were shared out among."""
    client_cpu_ns: int
    """Of all workers, while measuring."""
    client_rss_bytes: int
    server_cpu_ns: int | None
    """Of the server and its descendants; None where there is none, or it isn't ours to look at."""
    server_rss_bytes: int | None
    cost: Cost | None = None
    """Disk, fsyncs and network."""
    exhausted: bool = False
    """A client came to `most_calls` before the time was up; the rate is that of `elapsed_ns`."""
