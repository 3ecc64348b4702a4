"""A store filled up to a number of sessions, by its own fast way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Stopped = Literal["time", "memory", "disk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Load sessions until the store holds `sessions`. None at all shows what an empty one costs."""

    sessions: int
    connections: int
    """Clients of later visits, among which the new sessions are shared out."""
    most_seconds: float
    """Then it stops where it is, so that a slow store can't hold up the run."""

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"loading, up to {self.sessions:,} sessions" if self.sessions else "looking at it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The observation of a `Fill`."""

    phase: Fill
    sessions: int
    """In the store now."""
    added: int
    """By this phase."""
    elapsed_ns: int
    processes: int
    bulk: bool
    """By the store's own fast way; otherwise by clients that issue one session after another."""
    stopped: Stopped | None
    """Why it did not come to the end: no time, or less than a tenth left of the machine's memory
    or of its disk."""
    client_cpu_ns: int
    client_rss_bytes: int
    """Of all workers together."""
    server_cpu_ns: int | None
    server_rss_bytes: int | None
    disk_bytes: int | None
    """What the store's folder takes on the disk, logs included; None where it isn't ours to see."""
    counters: Mapping[str, float]
    """What the store says of itself (`bench.counters`)."""
