"""What users wait for at a rate, open loop, and the highest rate that is carried."""

from collections.abc import Callable, Sequence

from bench.analysis.load import Capacity, LoadStep
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table
from bench.report.comparison import CLASS_WORDS, MARKS
from bench.report.costs import MEMORY, SPENT, WHAT, memory_cell, spent_cells
from bench.report.loadcells import capacity_cell, source, state_cell, step_cell
from bench.report.noise import noise_table

READING = (
    "Open loop: operations start when they are due, whoever waits. Response counts from the"
    " intended start, service from the actual one; the lag between is waiting for one of the"
    " connections to come free. Pacing is the lag of those that a free client waited to start: the"
    " generator's own."
)
CARRIED = (
    "Carried: p99 response within {bound} ms, nothing failed, nothing left over; found by search,"
    " and confirmed by offering it again. Over it, the next rate that was not carried."
)
CORE = (
    "One server core: what one core could do at the server CPU per operation of the rates that"
    " were carried, if CPU were its only limit."
)
TALLY = (
    "Due operations are ok (in time), late (answered after the step's end), failed, dropped (no"
    " client came free) or in flight (unanswered when given up); the five add up."
)
UNCONTROLLED = "This run has no A/A control of load, so ties rest on the trials alone."

SPIN = (
    "Client CPU has in it what a client spins while it waits, up to 50 µs before each start, and"
    " the work on tokens."
)


def section(material: Material) -> Section | None:
    """Make the section, if load was measured."""
    if not material.summary.capacities:
        return None
    noise = material.summary.load_noise
    return Section(
        "load",
        "Load and capacity",
        [
            *material.drawn("response"),
            Prose([READING]),
            capacities(material),
            _steps(material),
            _costs(material),
            *([noise_table("load-noise", "load", noise)] if noise else []),
        ],
    )


def capacities(material: Material) -> Table:
    """Make the table of the highest rates that were carried, the highest first in each class."""
    summary = material.summary
    groups = []
    for durability, members in summary.by_class():
        found = [(subject, summary.capacity(subject.label)) for subject in members]
        mine = [(subject, capacity) for subject, capacity in found if capacity is not None]
        mine.sort(key=lambda pair: -pair[1].rate.value)
        if mine:
            rows = [
                Row(
                    material.names[subject.label],
                    _capacity(material, capacity),
                    material.colours[subject.backend],
                )
                for subject, capacity in mine
            ]
            groups.append(Group(CLASS_WORDS[durability], rows))
    bound_ns = summary.capacities[0].bound_ns
    controlled = any(one.workload == "capacity" for one in summary.load_noise)
    return Table(
        name="capacity",
        caption=f"Highest rate carried with p99 within {formats.milliseconds(bound_ns)} ms",
        corner="Subject",
        columns=[
            Column("carried", "1/s"),
            Column("not carried", "1/s"),
            Column("p50 there", "ms"),
            Column("p99 there", "ms"),
            Column("closed loop", "1/s"),
            Column("one server core", "1/s"),
            Column("n"),
        ],
        groups=groups,
        legend=[
            CARRIED.format(bound=formats.milliseconds(bound_ns)),
            CORE,
            MARKS,
            *([] if controlled else [UNCONTROLLED]),
        ],
    )


def _capacity(material: Material, capacity: Capacity) -> list[Cell]:
    there = next(
        (s for s in material.summary.load if (s.label, s.place) == (capacity.label, None)), None
    )
    plain = [capacity.fails_at, capacity.closed_rate, capacity.core]
    fails_at, closed, core = [
        Cell(formats.NOTHING, tone="none")
        if figure is None
        else Cell(
            formats.significant(figure.value),
            number=figure.value,
            detail=formats.interval(figure, 1),
        )
        for figure in plain
    ]
    none = Cell(formats.NOTHING, tone="none")
    return [
        capacity_cell(capacity),
        fails_at,
        step_cell(there, there.response_ns, "50") if there else none,
        step_cell(there, there.response_ns, "99") if there else none,
        closed,
        core,
        Cell(formats.count(len(capacity.trials), "trial")),
    ]


def _steps(material: Material) -> Table:
    return Table(
        name="steps",
        caption="Every rate that was offered",
        corner="Step",
        columns=[
            Column("offered", "1/s"),
            *[Column(f"response p{percent}", "ms") for percent in ("50", "99", "99.9")],
            *[Column(f"service p{percent}", "ms") for percent in ("50", "99")],
            Column("lag p99", "ms"),
            Column("pacing p99", "ms"),
            Column("tokens p50", "ms"),
            Column("client process", "% of a core"),
            Column("ok", "ops"),
            Column("late", "ops"),
            Column("failed", "ops"),
            Column("dropped", "ops"),
            Column("in flight", "ops"),
            Column("state"),
        ],
        groups=_by_subject(material, _row),
        legend=[READING, TALLY],
        folded=True,
    )


def _costs(material: Material) -> Table:
    """Make the table of what an operation took at each rate."""
    return Table(
        name="load-cost",
        caption="What an operation cost at each rate",
        corner="Step",
        columns=[*SPENT, *MEMORY],
        groups=_by_subject(material, _cost),
        legend=[WHAT, SPIN],
        folded=True,
    )


def _by_subject(material: Material, row_of: Callable[[LoadStep], Row]) -> Sequence[Group]:
    every = [
        Group(
            f"{material.names[subject.label]} (class: {durability})",
            [row_of(step) for step in material.summary.load if step.label == subject.label],
        )
        for durability, members in material.summary.by_class()
        for subject in members
    ]
    return [group for group in every if group.rows]


def _cost(step: LoadStep) -> Row:
    memory = [step.server_rss_bytes, step.client_rss_bytes]
    spent = spent_cells(step.spent, source(step))
    return Row(step.name, [*spent, *[memory_cell(size, source(step)) for size in memory]])


def _row(step: LoadStep) -> Row:
    return Row(
        step.name,
        [
            Cell(
                formats.significant(step.rate.value),
                number=step.rate.value,
                detail=formats.interval(step.rate, 1),
            ),
            *[step_cell(step, step.response_ns, percent) for percent in ("50", "99", "99.9")],
            *[step_cell(step, step.service_ns, percent) for percent in ("50", "99")],
            step_cell(step, step.lag_ns, "99"),
            step_cell(step, step.pacing_ns, "99"),
            step_cell(step, step.tokens_ns, "50"),
            Cell(f"{step.client_share:.0%}", number=step.client_share * 100),
            *[
                Cell(f"{number:,}", number=number)
                for number in (step.ok, step.late, step.failed, step.dropped, step.in_flight)
            ],
            state_cell(step),
        ],
    )
