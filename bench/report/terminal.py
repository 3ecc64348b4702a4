"""The short table a run ends with, as plain text: whoever prints it chooses how."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.analysis import Summary
from bench.analysis.estimate import zero_bound
from bench.record import SubjectFacts
from bench.report import cells, formats, merged
from bench.report.balancer_words import balancer_points
from bench.report.blocks import Cell
from bench.report.cross_check import disagreed
from bench.report.loadcells import carried_cell
from bench.report.losscells import lost_cell
from bench.report.names import names
from bench.report.race_words import race_points
from bench.report.topology_words import failover_points, staleness_points


class ShortTable(NamedTuple):
    """Headings, one row of as many texts a subject, and what must be said below."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]


def short_table(summary: Summary) -> ShortTable:
    """Give the comparison in a width that a terminal has: grouped by durability class."""
    at = summary.reference_connections
    called = names(summary.subjects)
    # Only what this run measured: a terminal has no room for columns of "not measured".
    columns = ["class", "subject"]
    columns += [f"rotate p50 @{at} ms", f"p99 @{at} ms", f"rotations/s @{at}"] * bool(summary.cells)
    columns += [f"lost on {formats.FAULTS.get(fault, (fault,))[0]}" for fault in _faults(summary)]
    columns += ["winners per race"] * bool(summary.races)
    columns += ["carried/s"] * bool(summary.capacities)
    rows = [
        [str(durability), called[subject.label], *(map(_text, _cells(summary, subject)))]
        for durability, members in summary.by_class()
        for subject in members
    ]
    return ShortTable(columns, rows, _notes(summary, called, rows))


def _cells(summary: Summary, subject: SubjectFacts) -> Sequence[Cell]:
    rotate = summary.cell(subject.label, "rotate", summary.reference_connections)
    found = []
    if summary.cells:
        found += [
            cells.latency_cell(rotate, "50"),
            cells.latency_cell(rotate, "99"),
            cells.rate_cell(rotate),
        ]
    for fault in _faults(summary):
        found.append(lost_cell(summary, subject.label, fault, "lost_writes"))
    if summary.races:
        found.append(merged.winners_cell(summary, subject))
    if summary.capacities:
        found.append(carried_cell(summary, subject))
    return found


def _trials_without_loss(summary: Summary) -> Sequence[int]:
    """Give how many trials the zeros of the table are made of, the fewest first."""
    shown = {subject.label for _, members in summary.by_class() for subject in members}
    zeros = [
        figures
        for figures in summary.faults
        if figures.label in shown
        and not figures.held_by_client
        and not figures.losses["lost_writes"].total
    ]
    return sorted({len(figures.trials) for figures in zeros})


def _faults(summary: Summary) -> Sequence[str]:
    return list(dict.fromkeys(figures.fault for figures in summary.faults))


def _text(cell: Cell) -> str:
    marks = {"generator-limited": "limited"}
    return " ".join([cell.text, *(marks.get(mark, mark) for mark in cell.marks)])


def _notes(
    summary: Summary, called: Mapping[str, str], rows: Sequence[Sequence[str]]
) -> Sequence[str]:
    texts = [text for row in rows for text in row]
    notes = []
    if any("limited" in text for text in texts):
        notes.append("limited: the load generator was the limit, not the store; not ranked")
    if summary.capacities:
        bound = formats.milliseconds(summary.capacities[0].bound_ns)
        notes.append(f"carried/s: open loop, with p99 response within {bound} ms and no error")
    if any("tie" in text for text in texts):
        notes.append("tie: the gap is inside the noise of the A/A control or of the trials")
    if any(cell.ranks for cell in summary.cells):
        notes.append("ranks compare medians over trials; percentiles are of all samples together")
    if sizes := _trials_without_loss(summary):
        fewest, bound = sizes[0], formats.bound(zero_bound(sizes[0]))
        least = f", in at least {formats.count(fewest, 'trial')} of each fault"
        times = f" in {fewest} of each fault" if len(sizes) == 1 else least
        notes.append(f"0 lost{times}: the true share may be up to {bound}")
    notes += [f"undecided: {one.trial}: {one.why}" for one in summary.undecided]
    if doubted := disagreed([*summary.races, *summary.other_races, *summary.failovers]):
        notes.append(doubted)
    apart = ["growth"] * bool(summary.scale) + ["endurance"] * bool(summary.soak)
    if apart:
        notes.append(f"{formats.listed(apart)}: too much for a line a store; the report has it")
    points = [
        # Beside columns of speed, that of the winners has to do.
        *([] if summary.cells else race_points(summary, called)),
        *balancer_points(summary.balancers, called),
        *failover_points(summary.failovers, called),
        *staleness_points(summary.staleness, called),
    ]
    notes += [" ".join(point) for point in points]
    if any("uncontrolled" in text for text in texts):
        notes.append(
            "uncontrolled: nobody lost anything by that fault, so zero proves nothing;"
            " add -b memory, which has to lose"
        )
    if summary.failed:
        notes.append(f"{formats.count(len(summary.failed), 'trial')} failed; the report says why")
    return notes
