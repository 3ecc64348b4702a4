"""From figures to table cells: the text, the interval, the flags, the footnotes, the trials."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.analysis.consistency import RaceFigures
from bench.analysis.estimate import Estimate
from bench.analysis.latency import LatencyCell, Metric, Rank
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.blocks import Cell
from bench.report.formats import NOTHING

NOT_MEASURED = Cell("not measured", tone="none")
HELD = Cell(
    "n/a",
    detail="held by the client",
    tone="none",
    notes=("The client holds the state: there is no store to time, and none that could lose it.",),
)
FEW = "Too few samples: less than one is to be expected beyond the percentile."
NA = Cell("n/a", tone="none")
LIMITED = (
    "generator-limited: the load generator was the limit, not the store (a client process used"
    " more than 80% of the one core it can use, or the machine was busy by more than 90%). The"
    " store can do better than this; the cell is not ranked. A store inside the client's process"
    " shares its core."
)
SAMPLED = (
    "Known to: half the wider of the intervals of throughput and p50, as a share of the median."
    " Trials go on until it is as narrow as asked, or the most trials or seconds are spent; each"
    " cell says which."
)
INSIDE = "There is no server to look at: the store runs inside the application's process."


def held(columns: int) -> Sequence[Cell]:
    """Fill a row of a store that is the client's own; the reason is said once."""
    return [HELD, *[NA] * (columns - 1)]


def latency_cell(cell: LatencyCell | None, percentile: str) -> Cell:
    """Write one percentile in ms."""
    if cell is None:
        return NOT_MEASURED
    if "n/a" in cell.why:
        return HELD
    value = cell.percentiles_ns[percentile]
    if value is None:
        return Cell(NOTHING, tone="none", notes=(FEW,), source=source(cell))
    metric: Mapping[str, Metric] = {"50": "p50", "99": "p99"}
    ranked = metric.get(percentile)
    over_trials = cell.metric(ranked) if ranked else None
    return _marked(
        cell,
        ranked,
        Cell(
            formats.milliseconds(value),
            number=value / 1e6,
            detail=formats.trials_median(over_trials, 1e-6),
            source=source(cell),
        ),
    )


def rate_cell(cell: LatencyCell | None) -> Cell:
    """Write the throughput in operations a second."""
    if cell is None:
        return NOT_MEASURED
    if "n/a" in cell.why:
        return HELD
    figure = cell.throughput
    return _marked(
        cell,
        "throughput",
        Cell(
            formats.significant(figure.value),
            number=figure.value,
            detail=formats.interval(figure, 1),
            source=source(cell),
        ),
    )


def cpu_cell(cell: LatencyCell | None) -> Cell:
    """Write the server's CPU per operation in µs."""
    if cell is None:
        return NOT_MEASURED
    if "n/a" in cell.why:
        return HELD
    return cpu_figure(cell.server_cpu_us, source(cell))


def cpu_figure(figure: Estimate | None, trials: str) -> Cell:
    """Write a server's CPU per operation in µs, from these trials."""
    if figure is None:
        return Cell(NOTHING, tone="none", notes=(INSIDE,))
    return Cell(
        formats.significant(figure.value),
        number=figure.value,
        detail=formats.interval(figure, 1),
        source=trials,
    )


def sampled_cell(cell: LatencyCell) -> Cell:
    """Write how closely a cell is known, and why its trials ended."""
    found = cell.sampled
    if found is None:
        return Cell(NOTHING, tone="none")
    asked = f"{found.asked * 100:g}"
    why = {
        "precise": f"as narrow as asked (± {asked}%)",
        "trials": f"most trials spent, ± {asked}% asked",
        "seconds": f"seconds spent, ± {asked}% asked",
        "unfinished": "the run isn't finished",
    }[found.stopped]
    if found.half_width is None:
        return Cell(NOTHING, detail=f"too few trials for an interval; {why}", tone="none")
    percent = found.half_width * 100
    return Cell(formats.significant(percent, 2), number=percent, detail=why, source=source(cell))


def source(cell: LatencyCell) -> str:
    """Say what a cell's figures come from."""
    trials = formats.count(len(cell.trials), "trial")
    operations = formats.count(cell.operations, "operation")
    return f"{trials}, {operations}: {formats.trials(cell.trials)}"


def memory_cell(cell: LatencyCell | None) -> Cell:
    """Write the server's resident memory in MB."""
    if cell is None:
        return NOT_MEASURED
    if "n/a" in cell.why:
        return HELD
    if cell.server_rss_bytes is None:
        return Cell(NOTHING, tone="none", notes=(INSIDE,))
    text = formats.megabytes(cell.server_rss_bytes)
    return Cell(text, number=cell.server_rss_bytes / 1e6, source=source(cell))


def winners_cell(races: RaceFigures | None, subject: SubjectFacts) -> Cell:
    """Write the most winners that a race had."""
    if races is None:
        return NOT_MEASURED
    trials = formats.trials(races.trials)
    notes = by_threads(subject)
    if races.most_winners is None:
        why = "No call overlapped the winner's in any round, so nothing was tested."
        return Cell(NOTHING, tone="none", notes=[why, *notes], source=trials)
    rounds = f"{races.contested:,} races"
    if races.double_spends:
        detail = f"several in {races.double_spends:,} of {rounds}"
    elif races.winners.get(0):
        detail = f"nobody in {races.winners[0]:,} of {rounds}"
    else:
        detail = f"more in 0 of {rounds}: ≤ {formats.bound(races.bound or 1)}"
    return Cell(
        f"{races.most_winners} of {races.instances}",
        number=races.most_winners,
        detail=detail,
        tone="bad" if races.double_spends else "",
        notes=notes,
        source=trials,
    )


def by_threads(subject: SubjectFacts) -> Sequence[str]:
    """Say who raced on a store that processes can't share, where it is one."""
    return _unshared(subject, "Raced by threads of one process: processes can't share the store")


def by_processes(subject: SubjectFacts) -> Sequence[str]:
    """Say who looked at a store that processes can't share, where it is one."""
    return _unshared(subject, "Each instance that looks is a process, and can't share the store")


def _unshared(subject: SubjectFacts, says: str) -> Sequence[str]:
    why = subject.lacking.get("shared_by_processes")
    return [f"{says} ({why})."] if why else []


def _marked(cell: LatencyCell, metric: Metric | None, plain: Cell) -> Cell:
    if "generator-limited" in cell.why:
        return replace(plain, marks=("generator-limited",), tone="limited", notes=(LIMITED,))
    if "errors" in cell.why:
        why = f"Not ranked: {cell.why['errors']}."
        return replace(plain, marks=("errors",), tone="limited", notes=(why,))
    if "one trial" in cell.why:
        return replace(plain, marks=("one trial",), notes=("Not ranked: one trial has no spread.",))
    return placed(plain, cell.ranks.get(metric) if metric else None)


def placed(plain: Cell, rank: Rank | None) -> Cell:
    """Mark a cell with its place in its class; one that wasn't ranked stays as it is."""
    if rank is None:
        return plain
    if rank.tie:
        return replace(plain, marks=(*plain.marks, f"tie for {rank.place}"))
    if rank.place == 1:
        return replace(plain, marks=(*plain.marks, "best"), tone="best")
    return replace(plain, marks=(*plain.marks, f"{rank.place} of {rank.of}"))
