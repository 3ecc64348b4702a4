"""What growth does to each store: latency, load rate, and what a session takes up."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from backends.store import Durability
from bench.analysis.cost import Spending, spending
from bench.analysis.estimate import Estimate, estimate
from bench.analysis.evidence import Judged
from bench.analysis.limits import limited_because, shared_cores
from bench.record import Record, Run, SubjectFacts
from scenarios import histogram
from scenarios.scale import ScaleFindings, Size, Visits

TELLING_MEMORY_BYTES = 4_000_000
"""Below, what was added drowns in what a process takes or gives back for its own reasons."""
TELLING_DISK_BYTES = 100_000
"""Below, it drowns in the size of a block."""


class VisitFigures(Record):
    """One operation at one size, the samples of all trials together."""

    operation: str
    p50_ns: int | None
    p99_ns: int | None
    rate: float
    """Operations a second, over all trials."""
    operations: int
    errors: dict[str, int]
    spent: Spending | None
    """None where no operation came out well."""
    limited: str | None
    """Why the load generator was the limit, where it was."""
    short: bool
    """Whether the calls ran out before the time did, in some trial."""


class ScaleFigures(Record):
    """One store at one size, over all its trials."""

    label: str
    durability: Durability
    wanted: int
    sessions: int
    """The smallest of its trials."""
    stopped: str | None
    """Why a trial stopped before `wanted`: time, memory or disk."""
    bulk: bool
    load_rate: Estimate | None
    """Sessions a second; None where nothing was left to load."""
    load_client_us: float | None
    """CPU a session that was loaded."""
    load_server_us: float | None
    memory_bytes: Estimate | None
    """Of the process that holds the sessions, a session; None where too little to tell."""
    memory_in_client: bool
    """It lives in the application: its memory is what is counted."""
    kept_bytes: Estimate | None
    """Rows or documents and their indexes on disk, a session; logs left out where they can be."""
    disk_bytes: Estimate | None
    """The whole folder on disk, logs included, a session."""
    visits: dict[str, VisitFigures]
    trials: list[str]


class Beyond(Record):
    """A size that a store declares it is not meant for."""

    label: str
    wanted: int
    reason: str


class _Part(NamedTuple):
    trial: str
    empty: Size
    size: Size


def scale_figures(run: Run, found: Sequence[Judged[ScaleFindings]]) -> Sequence[ScaleFigures]:
    """Gather each subject's sizes over its trials, in the order of the run's subjects."""
    parts: dict[tuple[str, int], list[_Part]] = defaultdict(list)
    for one in found:
        empty, *sizes = one.findings.sizes
        for size in sizes:
            parts[one.trial.label, size.wanted].append(_Part(one.trial.id, empty, size))
    available = shared_cores(run, [one.trial for one in found])
    return [
        _figures(available, subject, wanted, parts[label, wanted])
        for subject in run.subjects
        for label, wanted in sorted(parts)
        if label == subject.label
    ]


def beyond(run: Run) -> Sequence[Beyond]:
    """Say which sizes that the run asked for are beyond what a store declares."""
    sizes = run.parameters.get("scale", {}).get("sessions", ())
    return [
        Beyond(label=subject.label, wanted=wanted, reason=subject.bound.reason)
        for subject in run.subjects
        if subject.bound is not None and not subject.control
        for wanted in sorted(set(sizes))
        if wanted > subject.bound.sessions
    ]


def _figures(
    available: float | None, subject: SubjectFacts, wanted: int, parts: Sequence[_Part]
) -> ScaleFigures:
    sizes = [part.size for part in parts]
    loaded = [size for size in sizes if size.added]
    added = sum(size.added for size in loaded)
    servers = [size.load_server_cpu_ns for size in loaded if size.load_server_cpu_ns is not None]
    in_client = sizes[0].server_rss_bytes is None
    operations = dict.fromkeys(visits.operation for size in sizes for visits in size.visits)
    return ScaleFigures(
        label=subject.label,
        durability=subject.durability,
        wanted=wanted,
        sessions=min(size.sessions for size in sizes),
        stopped=next((size.stopped for size in sizes if size.stopped), None),
        bulk=all(size.bulk for size in sizes),
        load_rate=_over_trials([size.added * 1e9 / size.load_ns for size in loaded]),
        load_client_us=sum(s.load_client_cpu_ns for s in loaded) / added / 1e3 if added else None,
        load_server_us=sum(servers) / added / 1e3 if added and servers else None,
        memory_bytes=_over_trials([b for part in parts if (b := _memory(part)) is not None]),
        memory_in_client=in_client,
        kept_bytes=_over_trials([b for part in parts if (b := _kept(part)) is not None]),
        disk_bytes=_over_trials([b for part in parts if (b := _disk(part)) is not None]),
        visits={
            operation: _visits(
                available,
                operation,
                [v for s in sizes for v in s.visits if v.operation == operation],
            )
            for operation in operations
        },
        trials=[part.trial for part in parts],
    )


def _over_trials(values: Sequence[float]) -> Estimate | None:
    return estimate(values) if values else None


def _memory(part: _Part) -> float | None:
    def taken(size: Size) -> int:
        return size.client_rss_bytes if size.server_rss_bytes is None else size.server_rss_bytes

    grown = taken(part.size) - taken(part.empty)
    return _each(grown, part.size.sessions, TELLING_MEMORY_BYTES)


def _disk(part: _Part) -> float | None:
    now, before = part.size.disk_bytes, part.empty.disk_bytes
    if now is None or before is None:
        return None
    return _each(now - before, part.size.sessions, TELLING_DISK_BYTES)


def _kept(part: _Part) -> float | None:
    now, before = part.size.counters, part.empty.counters
    if "index_bytes" not in now:
        return _disk(part)
    names = ("data_bytes", "index_bytes")
    grown = sum(now[name] - before.get(name, 0) for name in names)
    return _each(int(grown), part.size.sessions, TELLING_DISK_BYTES)


def _each(grown_bytes: int, sessions: int, telling_bytes: int) -> float | None:
    return grown_bytes / sessions if sessions and grown_bytes >= telling_bytes else None


def _visits(available: float | None, operation: str, every: Sequence[Visits]) -> VisitFigures:
    merged = histogram.merged(one.samples.latency_ns for one in every)
    errors: Counter[str] = Counter()
    for one in every:
        errors.update(one.samples.errors)
    operations = histogram.count(merged)
    return VisitFigures(
        operation=operation,
        p50_ns=histogram.percentile_ns(merged, "50"),
        p99_ns=histogram.percentile_ns(merged, "99"),
        rate=operations * 1e9 / sum(one.elapsed_ns for one in every),
        operations=operations,
        errors=dict(errors),
        spent=spending(every),
        limited=limited_because(every, available),
        short=any(one.exhausted for one in every),
    )
