"""Endurance: what a long run did to each store, and its stalls by name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bench.analysis.soak import SoakPoint, SoakSeries
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Points, Row, Section, Table
from bench.report.comparison import in_classes
from bench.report.costs import MEMORY, SPENT, WHAT, memory_cell, spent_cells

READING = (
    "Response: from when a rotation was due to its answer, so that what waits behind a stall"
    " counts; service: from when it was sent. A stall is an interval of which a hundredth waited"
    " more than 5 ms and more than three times as long as in the median interval. Late: intervals"
    " of which the generator itself sent more than 5% over 5 ms late; they say little of the store."
)
GROWTH = (
    "Data, index and log: by how much they grew from the first look to the last, as the store says."
)
LOOKS = (
    "Client CPU has in it what a client spins while it waits, up to 50 µs before each start. The"
    " server's part has in it what it does in the background, and to answer a look at its counters"
    " once an interval."
)
NAMED = 8
"""Stalls that are listed for a store; more are counted."""


def section(material: Material) -> Section | None:
    """Make the section, if a long run was made."""
    series = material.summary.soak
    if not series:
        return None
    stalls = [
        (material.names[one.label], _stalls(one))
        for one in series
        if any(point.stall for point in one.points)
    ]
    return Section(
        "soak",
        "Endurance",
        [
            *material.drawn("soak"),
            _table(material),
            _costs(material),
            *([Points("Stalls, and what the store did at the time", stalls)] if stalls else []),
        ],
    )


def _table(material: Material) -> Table:
    first = material.summary.soak[0]
    seconds = len(first.points) * first.interval_seconds
    return Table(
        name="soak",
        caption=f"{first.rate:,.0f} rotations a second for {seconds:,.0f} s",
        corner="Subject",
        columns=[
            Column("response p50", "ms"),
            Column("response p99", "ms"),
            Column("service p99", "ms"),
            Column("worst interval's p99", "ms"),
            Column("stalls", "intervals"),
            Column("late", "intervals"),
            Column("data", "kB"),
            Column("index", "kB"),
            Column("log", "kB"),
            Column("what the store did"),
        ],
        groups=_rows(material, _cells),
        legend=[READING, GROWTH],
    )


def _costs(material: Material) -> Table:
    """Make the table of what a rotation took, over the whole load."""
    return Table(
        name="soak-cost",
        caption="What a rotation cost in the long run",
        corner="Subject",
        columns=[*SPENT, *MEMORY],
        groups=_rows(material, _cost),
        legend=[WHAT, LOOKS],
        folded=True,
    )


def _rows(material: Material, cells_of: Callable[[SoakSeries], Sequence[Cell]]) -> Sequence[Group]:
    def rows(subject: SubjectFacts) -> Iterator[Row]:
        for one in material.summary.soak:
            if one.label == subject.label:
                name = material.names[subject.label]
                yield Row(name, cells_of(one), material.colours[subject.backend])

    return in_classes(material.summary, rows)


def _cost(one: SoakSeries) -> Sequence[Cell]:
    return [
        *spent_cells(one.spent, one.trial),
        memory_cell(one.server_rss_bytes, one.trial),
        memory_cell(one.client_rss_bytes, one.trial),
    ]


def _cells(one: SoakSeries) -> Sequence[Cell]:
    points = one.points
    worst = max((point.p99_ns for point in points if point.p99_ns is not None), default=None)
    stalls, late = sum(p.stall for p in points), sum(p.late for p in points)
    every = [
        *[_time(value) for value in (one.p50_ns, one.p99_ns, one.service_p99_ns, worst)],
        Cell(f"{stalls} of {len(points)}", number=stalls),
        Cell(f"{late} of {len(points)}", number=late, tone="limited" if late else ""),
        *[_grown(one, name) for name in ("data_bytes", "index_bytes", "log_bytes")],
        Cell("; ".join(_deeds(one)) or formats.NOTHING),
    ]
    if one.errors:
        kinds = ", ".join(f"{kind} {count:,} times" for kind, count in one.errors.items())
        every[0] = replace(
            every[0], tone="bad", marks=("errors",), notes=(f"Went wrong: {kinds}.",)
        )
    return [replace(cell, source=one.trial) for cell in every]


def _time(value_ns: int | None) -> Cell:
    if value_ns is None:
        return Cell(formats.NOTHING, tone="none")
    return Cell(formats.milliseconds(value_ns), number=value_ns / 1e6)


def _grown(one: SoakSeries, name: str) -> Cell:
    grown = one.grown(name)
    if grown is None:
        return Cell(formats.NOTHING, tone="none")
    return Cell(f"{grown / 1e3:+,.0f}", number=grown / 1e3)


def _deeds(one: SoakSeries) -> list[str]:
    """Say what matters for this kind of store, and only what its counters tell."""
    found: list[str] = []
    updates, hot = one.grown("updates"), one.grown("hot_updates")
    if updates and hot is not None:
        found.append(f"{formats.percent(hot / updates)} HOT updates")
    written = one.grown("written_log_bytes")
    if written is not None and one.done:
        found.append(f"{written / one.done:,.0f} B of log a rotation")
    for name, words in (
        ("dead_rows", "{:,.0f} dead rows at most"),
        ("fragmentation", "fragmentation up to {:.2f}"),
        ("latest_fork_us", "a fork took up to {:,.0f} µs"),
        ("longest_checkpoint_ms", "a checkpoint took up to {:,.0f} ms"),
    ):
        most = max(one.counters.get(name, [0]))
        if most:
            found.append(words.format(most))
    happened = ("autovacuums", "autovacuum"), ("checkpoints", "checkpoint"), ("forks", "fork")
    for name, words in happened:
        count = one.grown(name)
        if count:
            found.append(formats.count(round(count), words))
    return found


def _stalls(one: SoakSeries) -> str:
    stalls = [point for point in one.points if point.stall]
    listed = [_stall(point) for point in stalls[:NAMED]]
    more = len(stalls) - NAMED
    return "; ".join([*listed, *([f"and {more} more"] if more > 0 else [])]) + "."


def _stall(point: SoakPoint) -> str:
    causes = [*point.events, *(["the generator was late"] if point.late else [])]
    because = formats.listed(causes) if causes else "nothing that its counters show"
    wait = formats.milliseconds(point.p99_ns or point.longest_ns)
    return f"at {point.at_seconds:,.0f} s, {wait} ms: {because}"
