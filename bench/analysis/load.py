"""Open loop: response times at each offered rate, and the highest rate that was carried."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from backends.store import Durability
from bench.analysis.cost import Spending
from bench.analysis.estimate import Estimate, estimate
from bench.analysis.latency import Key, Metric, Rank
from bench.record import Record

LoadFlag = Literal["generator-limited", "saturated", "errors", "at least", "one trial"]
"""saturated: the store fell behind. at least: no rate that was tried failed."""
UNSOUND: frozenset[LoadFlag] = frozenset({"generator-limited", "saturated", "errors"})

Asked = Literal["share", "rate", "capacity"]
"""share: of the closed loop's rate. rate: operations a second. capacity: the one found, again."""

LEAST_RATE = 1.0
"""What a trial that carried nothing counts as where rates are compared, which is by their ratio."""


def is_bound(ends: Sequence[tuple[float | None, float | None]]) -> bool:
    """Whether a median over trials is a lower bound, by what each carried and what it failed at.

    Of fewer trials without an end the median is what it is, however much those would have carried.
    """
    return 2 * unbounded(ends) >= len(ends)


def unbounded(ends: Sequence[tuple[float | None, float | None]]) -> int:
    """Count trials that carried some rate, and every rate."""
    return sum(carried is not None and failed is None for carried, failed in ends)


class LoadStep(Record):
    """One step of the ladder on one subject, over all its trials."""

    label: str
    durability: Durability
    connections: int
    asked: Asked
    place: float | None
    """The share or the rate; None for the capacity, whose rate is each trial's own."""
    trials: list[str]
    offered: int
    """Operations that were due; the five that follow add up to it."""
    ok: int
    late: int
    failed: int
    dropped: int
    in_flight: int
    errors: dict[str, int]
    rate: Estimate
    """Operations offered a second."""
    started_share: float
    """Of what was due, started before the time was up."""
    response_ns: dict[str, int | None]
    """Percentiles from the intended start, all trials together; of what was answered."""
    service_ns: dict[str, int | None]
    lag_ns: dict[str, int | None]
    pacing_ns: dict[str, int | None]
    tokens_ns: dict[str, int | None]
    p99_ns: Estimate | None
    """Median over trials of each one's p99 response; None where a trial is too small for one."""
    client_share: float
    """CPU of a worker process, of one core."""
    spent: Spending | None
    """None where no operation came out well."""
    client_rss_bytes: int | None
    server_rss_bytes: int | None
    why: dict[LoadFlag, str]
    """What must be known of this step: flag -> the reason."""

    scenario: ClassVar[str] = "load"
    metrics: ClassVar[Sequence[Metric]] = ("p99",)
    at_least: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Say what was offered."""
        if self.place is None:
            return "capacity, confirmed"
        share = self.asked == "share"
        return f"{self.place:.0%} of the closed loop" if share else f"{self.place:g}/s"

    @property
    def key(self) -> Key:
        """What it is compared with others by."""
        return Key(self.name, self.name, self.connections)

    @property
    def sound(self) -> bool:
        """Whether its figures are the store's, at the rate it says."""
        return not UNSOUND & self.why.keys()

    @property
    def ranked(self) -> bool:
        """Whether it may be held against another's."""
        return self.sound and "one trial" not in self.why

    def metric(self, name: Metric) -> Estimate | None:
        """Give the response p99, the one figure that it is compared by."""
        return self.p99_ns if name == "p99" else None


class Capacity(Record):
    """The highest rate that a subject carried, over all its trials."""

    label: str
    durability: Durability
    connections: int
    trials: list[str]
    bound_ns: int
    """On the p99 response."""
    rate: Estimate
    """Operations a second; a trial in which no rate was carried counts as 0."""
    carried_in: int
    """Trials in which some rate was carried and confirmed."""
    fails_at: Estimate | None
    """The lowest rate above it that was not carried; None where a trial found none."""
    closed_rate: Estimate
    """Of the closed loop, for comparison."""
    core: Estimate | None
    """Operations a second that one core of the server could do, at its CPU per operation."""
    why: dict[LoadFlag, str]
    ranks: dict[Metric, Rank] = Field(default_factory=dict)

    scenario: ClassVar[str] = "load"
    metrics: ClassVar[Sequence[Metric]] = ("throughput",)

    @property
    def key(self) -> Key:
        """What it is compared with others by."""
        return Key("capacity", "capacity", self.connections)

    @property
    def ranked(self) -> bool:
        """Whether it may be held against another's."""
        return not self.why.keys() & {"generator-limited", "one trial"}

    @property
    def at_least(self) -> bool:
        """Whether it may be higher than it says."""
        return "at least" in self.why

    def metric(self, name: Metric) -> Estimate | None:
        """Give the rate as it is compared."""
        each = [max(rate, LEAST_RATE) for rate in self.rate.each]
        return estimate(each) if name == "throughput" else None
