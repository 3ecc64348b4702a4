"""The comparison: one row a subject, grouped by durability class, one column a question."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.latency import LatencyCell
from bench.record import SubjectFacts
from bench.report import cells, formats, merged
from bench.report.blocks import Cell, Column, Group, Material, Row, Table
from bench.report.loadcells import carried_cell
from bench.report.losscells import lost_cell

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


@dataclass(frozen=True, slots=True)
class _Question:
    """A column, and what a subject's cell in it says."""

    column: Column
    answer: Callable[[SubjectFacts], Cell]


def comparison(material: Material) -> Table | None:
    """Make the table that the page, Markdown and CSV show.

    None where the run had no scenario that it compares by, or nothing of them came out.
    """
    summary = material.summary
    asked = _asked(material)
    subjects = [subject for _, members in summary.by_class() for subject in members]
    if all(one.answer(subject) == cells.NOT_MEASURED for one in asked for subject in subjects):
        return None
    asked = [
        *asked,
        _Question(Column("cannot (declared)"), merged.cannot_cell),
        _Question(Column("n"), lambda subject: merged.sizes_cell(summary, subject)),
    ]

    def rows(subject: SubjectFacts) -> Iterable[Row]:
        answers = [one.answer(subject) for one in asked]
        yield Row(material.names[subject.label], answers, material.colours[subject.backend])

    return Table(
        name="comparison",
        caption=f"Comparison of {formats.count(len(subjects), 'subject')},"
        " inside a durability class and never across",
        corner="Subject",
        columns=[one.column for one in asked],
        groups=in_classes(summary, rows),
        legend=_legend(summary),
    )


def _asked(material: Material) -> Sequence[_Question]:
    """Give the questions of the scenarios that the run had: it has no answer to others."""
    summary = material.summary
    had = {trial.scenario for trial in material.run.plan}
    found: list[_Question] = []
    if "latency" in had:
        found += _speed(summary)
    if "durability" in had:
        found += [_lost(summary, fault) for fault in _faults(material)]
        back = Column("resurrected", "sessions")
        found.append(_Question(back, lambda subject: merged.resurrected_cell(summary, subject)))
    if "consistency" in had:
        seen, winners = (
            Column("seen by others at once", "looks"),
            Column("winners per race", "most"),
        )
        found.append(_Question(seen, lambda subject: merged.seen_cell(summary, subject)))
        found.append(_Question(winners, lambda subject: merged.winners_cell(summary, subject)))
    if "load" in had:
        carried = Column("carried, open loop", "1/s")
        found.append(_Question(carried, lambda subject: carried_cell(summary, subject)))
    return found


def _speed(summary: Summary) -> Sequence[_Question]:
    at = summary.reference_connections
    many = f" @{at}" if at else ""

    def latency(operation: str, percentile: str) -> _Question:
        return _Question(
            Column(f"{operation} p{percentile}{many}", "ms"),
            lambda subject: cells.latency_cell(
                summary.cell(subject.label, operation, at), percentile
            ),
        )

    def of_rotation(column: Column, cell_of: Callable[[LatencyCell | None], Cell]) -> _Question:
        return _Question(column, lambda subject: cell_of(summary.cell(subject.label, "rotate", at)))

    return [
        latency("verify", "50"),
        latency("verify", "99"),
        latency("rotate", "50"),
        latency("rotate", "99"),
        of_rotation(Column(f"rotations{many}", "1/s"), cells.rate_cell),
        of_rotation(Column("server CPU", "µs/rotation"), cells.cpu_cell),
        of_rotation(Column("server memory", "MB"), cells.memory_cell),
    ]


def _faults(material: Material) -> Sequence[str]:
    """Give those that were asked for, also where this machine could not bring them about."""
    planned = {trial.case for trial in material.run.plan if trial.scenario == "durability"}
    lacking = {skipped.spec for skipped in material.run.skipped}
    return [one for one in COMPARED if one in planned or f"{one} in durability" in lacking]


def _lost(summary: Summary, fault: str) -> _Question:
    return _Question(
        Column(f"lost on {formats.FAULTS[fault][0]}", "writes"),
        lambda subject: lost_cell(summary, subject.label, fault, "lost_writes"),
    )


def _legend(summary: Summary) -> Sequence[str]:
    """Say how to read the figures that there are."""
    lines = []
    if summary.reference_connections:
        many = formats.count(summary.reference_connections, "connection")
        lines.append(f"@{summary.reference_connections}: with {many}, closed loop.")
    if summary.cells:
        lines.append(INTERVALS)
    if summary.cells or summary.capacities:
        lines.append(MARKS)
    if summary.faults:
        lines.append(ZERO)
    if summary.cells and not summary.noise:
        lines.append("This run has no A/A control, so ties rest on the intervals alone.")
    return lines
