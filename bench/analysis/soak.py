"""Endurance as a series: latency by interval, what grew, and what the store did meanwhile.

A stall is an interval of which a hundredth waited more than five milliseconds and more than three
times as long as in the median interval. It is named by what the store's counters show from the
start of that interval to one interval later, since some are only told once a second.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from backends.store import Durability
from bench.analysis.cost import Spending, spending
from bench.analysis.evidence import Judged
from bench.record import Record, Run
from scenarios import histogram
from scenarios.soak import Counters, Point, SoakFindings

STALL_TIMES = 3.0
STALL_NS = 5_000_000
LATE_SHARE = 0.05
"""Of an interval's rotations: above, its latency is the generator's as much as the store's."""
HAPPENED = {
    "autovacuums": "autovacuum",
    "autoanalyzes": "autoanalyze",
    "checkpoints": "checkpoint",
    "forks": "fork",
    "delayed_fsyncs": "delayed fsync",
    "evictions_by_clients": "eviction by clients",
}
"""Counter that rises at each -> what happened."""
UNDER_WAY = {
    "autovacuum_running": "autovacuum",
    "checkpoint_running": "checkpoint",
    "aof_rewriting": "AOF rewrite",
    "snapshotting": "snapshot",
}
"""Counter that isn't 0 meanwhile -> what is under way."""


class SoakPoint(Record):
    """One interval."""

    at_seconds: float
    """Its start."""
    p50_ns: int | None
    p99_ns: int | None
    longest_ns: int | None
    """Response times, from when a rotation was due."""
    offered: int
    done: int
    errors: int
    unsent: int
    late_share: float
    stall: bool
    events: list[str]
    """What the store did in it."""

    @property
    def late(self) -> bool:
        """Whether the generator itself was too late to tell."""
        return self.late_share > LATE_SHARE


class SoakSeries(Record):
    """One trial of one subject."""

    label: str
    durability: Durability
    trial: str
    rate: float
    interval_seconds: float
    sessions: int
    p50_ns: int | None
    p99_ns: int | None
    service_p99_ns: int | None
    """From sent to answered: without what waited behind a stall."""
    errors: dict[str, int]
    spent: Spending | None
    """None where no rotation came out well."""
    client_rss_bytes: int | None
    server_rss_bytes: int | None
    points: list[SoakPoint]
    counters: dict[str, list[float]]
    """Name -> its values, one before the first interval and one after each."""

    def grown(self, name: str) -> float | None:
        """Give by how much a counter grew from the first look to the last."""
        values = self.counters.get(name)
        return values[-1] - values[0] if values else None

    @property
    def done(self) -> int:
        """Rotations that succeeded."""
        return sum(point.done for point in self.points)

    @property
    def events(self) -> Mapping[str, int]:
        """What the store did -> in how many intervals."""
        return Counter(event for point in self.points for event in point.events)


def soak_series(run: Run, found: Sequence[Judged[SoakFindings]]) -> Sequence[SoakSeries]:
    """Give every trial's series, in the order of the run's subjects."""
    return [
        _series(one, subject.durability)
        for subject in run.subjects
        for one in found
        if one.trial.label == subject.label
    ]


def _series(one: Judged[SoakFindings], durability: Durability) -> SoakSeries:
    findings = one.findings
    response = histogram.merged(point.response_ns for point in findings.points)
    service = histogram.merged(point.service_ns for point in findings.points)
    errors: Counter[str] = Counter()
    for point in findings.points:
        errors.update(point.errors)
    names = [n for n in findings.ticks[0].counters if all(n in t.counters for t in findings.ticks)]
    return SoakSeries(
        label=one.trial.label,
        durability=durability,
        trial=one.trial.id,
        rate=findings.rate,
        interval_seconds=findings.interval_seconds,
        sessions=findings.sessions,
        p50_ns=histogram.percentile_ns(response, "50"),
        p99_ns=histogram.percentile_ns(response, "99"),
        service_p99_ns=histogram.percentile_ns(service, "99"),
        errors=dict(errors),
        spent=spending([findings]),
        client_rss_bytes=findings.client_rss_bytes,
        server_rss_bytes=findings.server_rss_bytes,
        points=_points(findings),
        counters={name: [tick.counters[name] for tick in findings.ticks] for name in names},
    )


def _points(findings: SoakFindings) -> list[SoakPoint]:
    waits = [_waited(point) for point in findings.points]
    usual_ns = statistics.median([wait for wait in waits if wait is not None] or [0])
    bound_ns = max(STALL_TIMES * usual_ns, STALL_NS)
    return [
        SoakPoint(
            at_seconds=number * findings.interval_seconds,
            p50_ns=histogram.percentile_ns(point.response_ns, "50"),
            p99_ns=histogram.percentile_ns(point.response_ns, "99"),
            longest_ns=_longest(point),
            offered=point.offered,
            done=histogram.count(point.response_ns),
            errors=sum(point.errors.values()),
            unsent=point.unsent,
            late_share=point.late / point.offered if point.offered else 0.0,
            stall=wait is not None and wait > bound_ns,
            events=_events(findings.ticks[number : number + 3]),
        )
        for number, (point, wait) in enumerate(zip(findings.points, waits, strict=True))
    ]


def _waited(point: Point) -> int | None:
    """Give what a hundredth waited longer than; in a small interval, the longest wait."""
    return histogram.percentile_ns(point.response_ns, "99") or _longest(point)


def _longest(point: Point) -> int | None:
    return histogram.value_ns(max(point.response_ns)) if point.response_ns else None


def _events(ticks: Sequence[Counters]) -> list[str]:
    """Name what happened between the first and the last of these looks."""
    first, last = ticks[0].counters, ticks[-1].counters
    rose = [words for name, words in HAPPENED.items() if last.get(name, 0) > first.get(name, 0)]
    ran = [
        words for name, words in UNDER_WAY.items() if any(tick.counters.get(name) for tick in ticks)
    ]
    return list(dict.fromkeys([*rose, *ran]))
