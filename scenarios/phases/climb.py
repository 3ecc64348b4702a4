"""Open loop: operations start when they are due, whoever waits; rates climb to what is carried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from scenarios.cost import Cost
from scenarios.histogram import Histogram, merged, percentile_ns
from scenarios.phases.workload import Operation, Workload

Arrivals = Literal["poisson", "fixed"]
Purpose = Literal["ladder", "search", "confirm"]

KEPT_UP = 0.95
"""Share of what was due that must have started in time, or the load was not what it says."""


class Storms(NamedTuple):
    """Parallel tabs: several refreshes of one token at the same instant."""

    share: float = 0.0
    """Of all arrivals, those that are a storm."""
    size: int = 2
    """Refreshes at once."""


NO_STORMS = Storms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """A short closed loop to learn the scale, steps at shares of it, then a search.

    What is searched for is the highest rate whose p99 response keeps within the bound, with no
    operation failed or left over.
    """

    workload: Workload
    connections: int
    arrivals: Arrivals
    calibration_seconds: float
    shares: Sequence[float]
    """Of the closed loop's rate; each is a step."""
    rates: Sequence[float]
    """Operations a second, in place of `shares`."""
    seconds: float
    """Of each step."""
    least_operations: int
    """A step at a low rate lasts longer, so that it has a p99."""
    bound_ns: int
    searches: int
    """Steps that may be taken to narrow the answer down."""
    confirmations: int
    """Steps at the answer that must all hold."""
    storms: Storms = NO_STORMS

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"open loop, {self.connections} connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of every operation that was due: each is exactly one of these."""

    offered: int
    ok: int
    """Answered as expected before the step's time was up."""
    late: int
    """Answered as expected, but after that: its response time counts like any other."""
    failed: int
    """Refused, raised, or answered otherwise than expected."""
    dropped: int
    """Never sent: no client came free before the step was given up."""
    in_flight: int
    """Sent, and not answered when the step was given up."""

    @property
    def left_over(self) -> int:
        """Operations without an answer."""
        return self.dropped + self.in_flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate, offered for a while."""

    purpose: Purpose
    place: float
    """The share of the closed loop's rate, or the rate itself, that a step of the ladder is at."""
    rate: float
    """Operations a second that were to be offered."""
    seconds: float
    tally: Tally
    started: int
    """Operations that started before the time was up."""
    errors: Mapping[str, int]
    """Kind (an exception's name, or what was wrong with the outcome) -> count."""
    response_ns: Mapping[Operation, Histogram]
    """From the intended start to the answer, of each operation answered as expected."""
    service_ns: Histogram
    """From the actual start to the answer, work on tokens left out."""
    lag_ns: Histogram
    """From the intended to the actual start: waiting for a client to come free, and pacing."""
    pacing_ns: Histogram
    """The lag of those that a free client had been waiting to start: the generator's own."""
    tokens_ns: Histogram
    """Work on tokens, where an algorithm is set."""
    busy_ns: int
    """Time that clients spent in calls, added up."""
    elapsed_ns: int
    """From the common start to the last answer."""
    processes: int
    connections: int
    client_cpu_ns: int
    client_rss_bytes: int
    server_cpu_ns: int | None
    """None where there is no server, or it isn't ours to look at."""
    server_rss_bytes: int | None
    cost: Cost
    exhausted: bool
    """A client came to the end of its prepared calls."""

    @property
    def completed(self) -> int:
        """Operations answered as expected."""
        return self.tally.ok + self.tally.late

    @property
    def kept_up(self) -> float:
        """Give the share of what was due that started before the time was up."""
        return self.started / self.tally.offered if self.tally.offered else 0.0

    def response_percentile_ns(self, percent: str) -> int | None:
        """Give a percentile of the response times of all operations together."""
        return percentile_ns(merged(self.response_ns.values()), percent)

    def holds(self, bound_ns: int) -> bool:
        """Whether the rate was carried: p99 within the bound, nothing wrong, nothing left over."""
        p99_ns = self.response_percentile_ns("99")
        return (
            not self.tally.failed
            and not self.tally.left_over
            and self.kept_up >= KEPT_UP
            and p99_ns is not None
            and p99_ns <= bound_ns
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """The observation of a `Climb`."""

    phase: Climb
    closed_rate: float
    """Operations a second of the closed loop."""
    steps: Sequence[Step]
    capacity: float | None
    """The highest rate that held and was confirmed; None: not even the lowest tried did."""
    fails_at: float | None
    """The lowest rate above it that did not hold; None: every one did."""
