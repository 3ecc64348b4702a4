"""Latency and throughput: one cell for each subject, workload, operation and concurrency."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from backends.store import Durability
from bench.analysis.cost import CostFigures, client_cpu_us, cost_figures, server_cpu_us
from bench.analysis.estimate import Estimate, estimate
from bench.analysis.evidence import Judged
from bench.analysis.limits import client_share, limited_because, machine_share, shared_cores
from bench.analysis.sampling import Sampled, asked_of, sampled, stopped
from bench.record import Record, Run, SubjectFacts, Trial
from scenarios import histogram
from scenarios.latency import MIXES, Cell, LatencyFindings, OperationSamples

PERCENTILES = ("50", "90", "99", "99.9")
TOO_MANY_ERRORS = 0.01
"""Above this share of failed calls a cell isn't ranked: refusing is quick."""

ALL = "all"
"""The operation of a cell that holds a whole mixed workload."""

Flag = Literal["generator-limited", "errors", "one trial", "short", "n/a"]
"""short: the prepared operations ran out before the time did. n/a: there is no store to time."""
UNRANKED: frozenset[Flag] = frozenset({"generator-limited", "errors", "one trial", "n/a"})

Metric = Literal["throughput", "p50", "p99"]
METRICS: Sequence[Metric] = ("throughput", "p50", "p99")


class Key(NamedTuple):
    """What is compared with what."""

    workload: str
    operation: str
    connections: int


class Rank(Record):
    """A place inside one durability class; `tie` where another can't be told apart from it."""

    place: int
    of: int
    tie: bool = False


class LatencyCell(Record):
    """One operation of one workload at one concurrency on one subject, over all its trials."""

    label: str
    durability: Durability
    workload: str
    operation: str
    connections: int
    trials: list[str]
    """Ids of the trials this comes from."""
    operations: int
    """Calls that ended as expected, over all trials."""
    errors: dict[str, int]
    throughput: Estimate
    """Operations a second."""
    percentiles_ns: dict[str, int | None]
    """Of all trials' samples together; None where the samples can't carry it."""
    p50_ns: Estimate | None
    """Median over trials of each trial's own p50; None where a trial is too small to have one."""
    p99_ns: Estimate | None
    """... of each trial's own p99: a trial needs 100 operations to have one."""
    minimum_ns: int
    maximum_ns: int
    client_cpu_us: float | None
    """Per operation; None for a part of a mix, whose CPU can't be told apart."""
    server_cpu_us: Estimate | None
    """Per operation; None where there is no server of ours to look at."""
    cost: CostFigures | None = None
    """Disk, fsyncs and network; None for a part of a mix."""
    client_share: float
    """CPU of a worker process, of one core."""
    machine_share: float | None
    """CPU of clients and server together, of all cores."""
    client_rss_bytes: int
    server_rss_bytes: int | None
    """The largest trial's."""
    why: dict[Flag, str]
    """What must be known of this cell: flag -> the reason."""
    sampled: Sampled | None = None
    """Whether its trials ended with figures known as closely as asked; None for a part of a mix."""
    ranks: dict[Metric, Rank] = Field(default_factory=dict)
    latency_ns: dict[int, int] = Field(default_factory=dict, exclude=True, repr=False)
    """The merged histogram; not dumped, since the record has it."""

    scenario: ClassVar[str] = "latency"
    metrics: ClassVar[Sequence[Metric]] = METRICS
    at_least: ClassVar[bool] = False

    @property
    def key(self) -> Key:
        """What it is compared with others by."""
        return Key(self.workload, self.operation, self.connections)

    @property
    def core_capacity(self) -> float | None:
        """Operations a second that one core of the server could do, at this CPU per operation."""
        return 1e6 / self.server_cpu_us.value if self.server_cpu_us else None

    @property
    def ranked(self) -> bool:
        """Whether it may be ranked at all."""
        return not UNRANKED & self.why.keys()

    @property
    def whole(self) -> bool:
        """Whether it is all that its workload did, not a part of a mix."""
        return self.operation in {ALL, self.workload}

    def metric(self, name: Metric) -> Estimate | None:
        """Give one of the figures that ranks are made from."""
        match name:
            case "throughput":
                return self.throughput
            case "p50":
                return self.p50_ns
            case "p99":
                return self.p99_ns


class NothingDone(Record):
    """A cell in which no call came out well, so that it has no latency."""

    label: str
    workload: str
    operation: str
    connections: int
    errors: dict[str, int]
    trials: list[str]


class _Part(NamedTuple):
    trial: str
    cell: Cell
    samples: OperationSamples


def latency_cells(
    run: Run, found: Sequence[Judged[LatencyFindings]]
) -> tuple[Sequence[LatencyCell], Sequence[NothingDone]]:
    """Gather every cell over its trials, in the order of the run's subjects. No ranks yet."""
    parts: dict[str, dict[Key, list[_Part]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        for cell in one.findings.cells:
            for operation, samples in _operations(cell).items():
                key = Key(cell.workload, operation, cell.connections)
                parts[one.trial.label][key].append(_Part(one.trial.id, cell, samples))
    available = shared_cores(run, [one.trial for one in found])
    cells: list[LatencyCell] = []
    nothing: list[NothingDone] = []
    for subject in run.subjects:
        for key, every in sorted(parts[subject.label].items(), key=lambda item: _order(item[0])):
            if any(part.samples.latency_ns for part in every):
                cells.append(_gather(available, subject, key, every))
            else:
                nothing.append(_nothing(subject, key, every))
    return cells, nothing


def with_sampling(
    run: Run, trials: Sequence[Trial], cells: Sequence[LatencyCell]
) -> Sequence[LatencyCell]:
    """Give the same cells with the reason for which their trials ended."""
    asked = asked_of(run, "latency") if cells else None
    if asked is None:
        return cells
    why = stopped(run, trials, "latency")
    return [
        cell.model_copy(
            update={
                "sampled": sampled(asked.precision, why[cell.label], [cell.throughput, cell.p50_ns])
            }
        )
        if cell.whole and "n/a" not in cell.why
        else cell
        for cell in cells
    ]


def reference_connections(cells: Sequence[LatencyCell]) -> int | None:
    """Choose the concurrency that the comparison is made at: 8, or the nearest to it."""
    measured = {cell.connections for cell in cells}
    return min(measured, key=lambda n: (abs(n - 8), n), default=None)


def _order(key: Key) -> tuple[int, str, int, str, int]:
    known = [*MIXES]
    place = known.index(key.workload) if key.workload in known else len(known)
    return place, key.workload, key.operation != ALL, key.operation, key.connections


def _operations(cell: Cell) -> Mapping[str, OperationSamples]:
    if len(cell.operations) < 2:  # noqa: PLR2004 - a mix is two or more
        return cell.operations
    every = list(cell.operations.values())
    together = OperationSamples(
        latency_ns=histogram.merged(samples.latency_ns for samples in every),
        minimum_ns=min(samples.minimum_ns for samples in every if samples.latency_ns),
        maximum_ns=max(samples.maximum_ns for samples in every),
        errors=_added(samples.errors for samples in every),
    )
    return {ALL: together, **cell.operations}


def _added(every: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for errors in every:
        total.update(errors)
    return dict(total)


def _nothing(subject: SubjectFacts, key: Key, every: Sequence[_Part]) -> NothingDone:
    return NothingDone(
        label=subject.label,
        **key._asdict(),
        errors=_added(part.samples.errors for part in every),
        trials=[part.trial for part in every],
    )


def _gather(
    available: float | None, subject: SubjectFacts, key: Key, every: Sequence[_Part]
) -> LatencyCell:
    # A trial in which the operation never succeeded has no latency; its errors still count.
    parts = [part for part in every if part.samples.latency_ns]
    cells = [part.cell for part in parts]
    merged = histogram.merged(part.samples.latency_ns for part in parts)
    errors = _added(part.samples.errors for part in every)
    why = _why(available, subject, cells, histogram.count(merged), errors)
    whole = key.operation in {ALL, key.workload}
    rates = [histogram.count(p.samples.latency_ns) * 1e9 / p.cell.elapsed_ns for p in parts]
    return LatencyCell(
        label=subject.label,
        durability=subject.durability,
        **key._asdict(),
        trials=[part.trial for part in parts],
        operations=histogram.count(merged),
        errors=errors,
        throughput=estimate(rates),
        percentiles_ns={p: histogram.percentile_ns(merged, p) for p in PERCENTILES},
        p50_ns=_over_trials(parts, "50"),
        p99_ns=_over_trials(parts, "99"),
        minimum_ns=min(part.samples.minimum_ns for part in parts),
        maximum_ns=max(part.samples.maximum_ns for part in parts),
        client_cpu_us=client_cpu_us(cells) if whole else None,
        server_cpu_us=server_cpu_us(cells) if whole else None,
        cost=cost_figures(cells) if whole else None,
        client_share=client_share(cells),
        machine_share=machine_share(cells, available),
        client_rss_bytes=max(cell.client_rss_bytes for cell in cells),
        server_rss_bytes=max(
            (cell.server_rss_bytes for cell in cells if cell.server_rss_bytes), default=None
        ),
        why=why,
        latency_ns=merged,
    )


def _over_trials(parts: Sequence[_Part], percent: str) -> Estimate | None:
    each = [histogram.percentile_ns(part.samples.latency_ns, percent) for part in parts]
    # To leave out the trials that are too small would leave out the slow ones.
    carried = [value for value in each if value is not None]
    return estimate(carried) if len(carried) == len(each) else None


def _why(
    available: float | None,
    subject: SubjectFacts,
    cells: Sequence[Cell],
    completed: int,
    errors: Mapping[str, int],
) -> dict[Flag, str]:
    why: dict[Flag, str] = {}
    if subject.durability == Durability.CLIENT:
        why["n/a"] = "the state is held by the client: there is no store to time"
    elif limited := limited_because(cells, available):
        why["generator-limited"] = limited
    failed = sum(errors.values())
    if failed > TOO_MANY_ERRORS * (failed + completed):
        kinds = ", ".join(f"{kind} {times:,} times" for kind, times in sorted(errors.items()))
        why["errors"] = f"{failed:,} of {failed + completed:,} calls failed: {kinds}"
    if len(cells) == 1:
        why["one trial"] = "one trial says nothing of the noise"
    if any(cell.exhausted for cell in cells):
        why["short"] = "the prepared operations ran out before the time did"
    return why
