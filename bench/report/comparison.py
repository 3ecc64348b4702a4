"""The comparison: one row a subject, grouped by durability class, one column a question."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.consistency import RaceFigures, SeenAtOnce
from bench.analysis.durability import FAULTS, FaultFigures
from bench.analysis.estimate import zero_bound
from bench.analysis.latency import LatencyCell
from bench.record import SubjectFacts
from bench.report import cells, formats
from bench.report.blocks import Cell, Column, Group, Material, Row, Table
from bench.report.loadcells import carried_cell

Part = TypeVar("Part", Column, Cell)

CLASS_WORDS = {
    Durability.POWER_CUT: "Power cut: declared to keep every acknowledged write through one",
    Durability.CRASH: "Crash: declared to keep acknowledged writes through one, not a power cut",
    Durability.RESTART: "Restart: declared to keep acknowledged writes through one, not a crash",
    Durability.NONE: "Nothing: declared to lose what it holds with its process",
    Durability.CLIENT: "Held by the client: ranked with no store",
}

INTERVALS = (
    "A percentile is read from the samples of all trials together; below it stands the median of"
    " the trials' own percentiles, which ranks compare. A rate or CPU figure is a median over"
    " trials. [low–high] is its 95% interval over trials, (low–high) the lowest and highest trial"
    " where there are too few for an interval."
)
MARKS = (
    "“best” is first in its class; “tie” means that the gap is inside the noise of the A/A control,"
    " or may be chance: in a class without differences, somebody is put before another in at most"
    " 5% of cases."
)
ZERO = "Zero losses in n faults leave the true share below 1 − 0.05^(1/n), with 95% confidence."


COMPARED = ("restart", "crash", "powercut")
"""Faults with a column of their own; the others are in the table of faults."""


def in_classes(
    summary: Summary, rows_of: Callable[[SubjectFacts], Iterable[Row]]
) -> Sequence[Group]:
    """Give a group for each class, of the rows of its subjects; none where there is no row."""
    every = [
        Group(CLASS_WORDS[durability], [row for one in members for row in rows_of(one)])
        for durability, members in summary.by_class()
    ]
    return [group for group in every if group.rows]


def comparison(material: Material) -> Table:
    """Make the table that the page, Markdown and CSV show."""
    summary = material.summary
    at = summary.reference_connections
    many = f"@{at}" if at else ""
    subjects = sum(len(members) for _, members in summary.by_class())
    columns = [
        Column(f"verify p50 {many}", "ms"),
        Column(f"verify p99 {many}", "ms"),
        Column(f"rotate p50 {many}", "ms"),
        Column(f"rotate p99 {many}", "ms"),
        Column(f"rotations {many}", "1/s"),
        Column("server CPU", "µs/rotation"),
        Column("server memory", "MB"),
        Column("lost on restart", "writes"),
        Column("lost on crash", "writes"),
        Column("lost on power cut", "writes"),
        Column("resurrected", "sessions"),
        Column("seen by others at once", "looks"),
        Column("winners per race", "most"),
        *_loaded(summary, Column("carried, open loop", "1/s")),
        Column("cannot (declared)"),
        Column("n"),
    ]
    return Table(
        name="comparison",
        caption=f"Comparison of {formats.count(subjects, 'subject')},"
        " ranked inside a durability class and never across",
        corner="Subject",
        columns=columns,
        groups=[
            Group(
                CLASS_WORDS[durability],
                [_row(material, subject) for subject in members],
            )
            for durability, members in summary.by_class()
        ],
        legend=legend(summary),
    )


def legend(summary: Summary) -> Sequence[str]:
    """Say how to read the figures."""
    lines = [INTERVALS, MARKS, ZERO]
    if summary.reference_connections:
        many = formats.count(summary.reference_connections, "connection")
        lines.insert(0, f"@{summary.reference_connections}: with {many}, closed loop.")
    if summary.cells and not summary.noise:
        lines.append("This run has no A/A control, so ties rest on the intervals alone.")
    return lines


def _row(material: Material, subject: SubjectFacts) -> Row:
    summary = material.summary
    at = summary.reference_connections
    verify = summary.cell(subject.label, "verify", at)
    rotate = summary.cell(subject.label, "rotate", at)
    met = [figures for name in FAULTS if (figures := summary.fault(subject.label, name))]
    return Row(
        material.names[subject.label],
        [
            cells.latency_cell(verify, "50"),
            cells.latency_cell(verify, "99"),
            cells.latency_cell(rotate, "50"),
            cells.latency_cell(rotate, "99"),
            cells.rate_cell(rotate),
            cells.cpu_cell(rotate),
            cells.memory_cell(rotate),
            *[cells.lost_cell(summary, subject.label, name, "lost_writes") for name in COMPARED],
            _resurrected(summary, met),
            _seen([one for one in summary.sightings if one.label == subject.label]),
            _winners([one for one in summary.races if one.label == subject.label]),
            *_loaded(summary, carried_cell(summary, subject)),
            _cannot(subject),
            _sizes(rotate, met),
        ],
        colour=material.colours[subject.backend],
    )


def _loaded(summary: Summary, part: Part) -> Sequence[Part]:
    """Leave out what belongs to load where a run had none: it isn't in the default comparison."""
    return [part] if summary.capacities else []


def _resurrected(summary: Summary, faults: Sequence[FaultFigures]) -> Cell:
    """Write what came back from the dead, under any of the faults."""
    if not faults:
        return cells.NOT_MEASURED
    if faults[0].held_by_client:
        return cells.HELD
    rotated = sum(fault.losses["resurrected_rotated"].total for fault in faults)
    revoked = sum(fault.losses["resurrected_revoked"].total for fault in faults)
    trials = formats.trials([trial for fault in faults for trial in fault.trials])
    if rotated or revoked:
        detail = f"{rotated:,} rotated, {revoked:,} revoked"
        return Cell(f"{rotated + revoked:,}", rotated + revoked, detail, tone="bad", source=trials)
    fewest = min(len(fault.trials) for fault in faults)
    counted = formats.listed([_counted(fault) for fault in faults])
    return Cell(
        "0",
        number=0,
        detail=f"in {counted}: ≤ {formats.bound(zero_bound(fewest))}",
        notes=tuple(cells.proof(summary, fault.fault, "resurrected_revoked") for fault in faults),
        source=trials,
    )


def _seen(looks: Sequence[SeenAtOnce]) -> Cell:
    if not looks:
        return cells.NOT_MEASURED
    seen, every = sum(one.seen for one in looks), sum(one.looks for one in looks)
    trials = dict.fromkeys(trial for one in looks for trial in one.trials)
    return Cell(
        formats.percent(seen / every),
        number=seen / every,
        detail=f"{seen:,} of {every:,}",
        tone="bad" if seen < every else "",
        source=formats.trials(list(trials)),
    )


def _winners(races: Sequence[RaceFigures]) -> Cell:
    """Take the number of instances that showed the most winners; the largest, if they are even."""
    return cells.winners_cell(
        max(races, key=lambda one: (one.most_winners or 0, one.instances), default=None)
    )


def _cannot(subject: SubjectFacts) -> Cell:
    if not subject.lacking:
        return Cell("nothing declared", tone="none")
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in subject.lacking.items():
        by_reason[reason].append(formats.CANNOT.get(name, name))
    return Cell(
        ", ".join(formats.CANNOT.get(name, name) for name in subject.lacking),
        notes=tuple(f"Cannot {', '.join(them)}: {reason}." for reason, them in by_reason.items()),
    )


def _sizes(rotate: LatencyCell | None, faults: Sequence[FaultFigures]) -> Cell:
    parts = []
    if rotate:
        parts.append(formats.count(len(rotate.trials), "trial"))
        parts.append(formats.count(rotate.operations, "rotation"))
    parts += [_counted(fault) for fault in faults]
    return Cell(", ".join(parts) or "nothing measured", tone="" if parts else "none")


def _counted(figures: FaultFigures) -> str:
    one, _, several = formats.FAULTS.get(figures.fault, (figures.fault, "", f"{figures.fault}s"))
    return formats.count(len(figures.trials), one, several)
