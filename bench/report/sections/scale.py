"""Growth: latency, load rate and space, from a thousand sessions on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.analysis.estimate import Estimate
from bench.analysis.scale import ScaleFigures
from bench.record import SubjectFacts
from bench.report import cells, formats
from bench.report.blocks import Cell, Column, Material, Prose, Row, Section, Table
from bench.report.comparison import in_classes
from bench.report.costs import SPENT, WHAT, spent_cells

READING = (
    "A store grows through the sizes; at each, verify and rotate go over the sessions added last,"
    " none met twice before all were. Sessions have names in no order, as random ids are."
    " Percentiles are those of all trials' samples together. Nothing here is ranked."
)
SPACE = (
    "Memory is that of the server's processes, above the empty server's; of a store inside the"
    " application, that of the application's processes. Kept: rows or documents and their indexes,"
    " as the store says, or its whole folder; on disk: the whole folder, logs included, which"
    " depends on when logs were last cut. “–”: less than 4 MB of memory, or 0.1 MB of"
    " disk, were added, too little to tell."
)
LOADING = (
    "Load rate: through the store's own fast way (COPY, pipelined scripts, insertMany, one"
    " transaction a batch) from one process a core. CPU a session: clients (which also make the"
    " sessions), then server."
)
STOPPED = {
    "time": "Loading was stopped when its time was up (scale.most_load_seconds).",
    "memory": "Loading was stopped with a tenth of the machine's memory left.",
    "disk": "Loading was stopped with a tenth of the disk left.",
}
IN_CLIENT = "The store lives in the application: this is its processes' memory, caches included."
SHORT = "The calls prepared for it ran out before its time did."
ONE_BY_ONE = "This store has no way to load many at once: eight clients issued them."


def section(material: Material) -> Section | None:
    """Make the section, if growth was measured."""
    summary = material.summary
    if not summary.scale:
        return None
    declared: dict[tuple[str, str], list[int]] = {}
    for one in summary.beyond:
        declared.setdefault((one.label, one.reason), []).append(one.wanted)
    limits = [
        f"{material.names[label]} at {formats.listed([f'{size:,}' for size in sizes])}: {reason}."
        for (label, reason), sizes in declared.items()
    ]
    return Section(
        "scale",
        "Growth",
        [
            *material.drawn("scale"),
            *(
                [Prose(limits, bullets=True, heading="Not meant for, as declared")]
                if limits
                else []
            ),
            _table(material),
            _costs(material),
        ],
    )


def _table(material: Material) -> Table:
    summary = material.summary

    def rows(subject: SubjectFacts) -> Iterator[Row]:
        for one in summary.scale:
            if one.label == subject.label:
                name = f"{material.names[subject.label]}, {one.wanted:,}"
                yield Row(name, _cells(one), material.colours[subject.backend])

    return Table(
        name="scale",
        caption="Latency, load rate and space at each number of sessions",
        corner="Subject, sessions",
        columns=[
            Column("sessions"),
            Column("verify p50", "ms"),
            Column("verify p99", "ms"),
            Column("rotate p50", "ms"),
            Column("rotate p99", "ms"),
            Column("loaded", "1/s"),
            Column("memory a session", "B"),
            Column("kept a session", "B"),
            Column("on disk a session", "B"),
        ],
        groups=in_classes(summary, rows),
        legend=[READING, LOADING, SPACE],
    )


def _costs(material: Material) -> Table:
    """Make the table of what an operation took at each size."""
    summary = material.summary

    def rows(subject: SubjectFacts) -> Iterator[Row]:
        for one in (each for each in summary.scale if each.label == subject.label):
            for operation, visits in one.visits.items():
                name = f"{material.names[subject.label]}, {one.wanted:,}, {operation}"
                spent = spent_cells(visits.spent, formats.trials(one.trials))
                yield Row(name, spent, material.colours[subject.backend])

    return Table(
        name="scale-cost",
        caption="What an operation cost at each number of sessions",
        corner="Subject, sessions, operation",
        columns=SPENT,
        groups=in_classes(summary, rows),
        legend=[WHAT],
        folded=True,
    )


def _cells(one: ScaleFigures) -> Sequence[Cell]:
    source = formats.trials(one.trials)
    latencies = [
        _latency(one, operation, percentile)
        for operation in ("verify", "rotate")
        for percentile in ("p50", "p99")
    ]
    memory = _space(one.memory_bytes)
    every = [
        Cell(
            f"{one.sessions:,}",
            number=one.sessions,
            notes=(STOPPED[one.stopped],) if one.stopped else (),
            marks=("stopped",) if one.stopped else (),
            tone="limited" if one.stopped else "",
        ),
        *latencies,
        _load(one),
        replace(memory, notes=(IN_CLIENT,)) if one.memory_in_client else memory,
        _space(one.kept_bytes),
        _space(one.disk_bytes),
    ]
    return [replace(cell, source=source) for cell in every]


def _latency(one: ScaleFigures, operation: str, percentile: str) -> Cell:
    visits = one.visits.get(operation)
    value = getattr(visits, f"{percentile}_ns") if visits else None
    if visits is None or value is None:
        return Cell(formats.NOTHING, tone="none")
    cell = Cell(formats.milliseconds(value), number=value / 1e6)
    if visits.errors:
        kinds = ", ".join(f"{kind} {count:,} times" for kind, count in visits.errors.items())
        return replace(cell, marks=("errors",), tone="bad", notes=(f"Went wrong: {kinds}.",))
    if visits.limited:
        return replace(cell, marks=("generator-limited",), tone="limited", notes=(cells.LIMITED,))
    if visits.short:
        return replace(cell, marks=("short",), notes=(SHORT,))
    return cell


def _load(one: ScaleFigures) -> Cell:
    if one.load_rate is None or one.load_client_us is None:
        return Cell(formats.NOTHING, tone="none")
    server = f" + {formats.significant(one.load_server_us)}" if one.load_server_us else ""
    return Cell(
        formats.significant(one.load_rate.value),
        number=one.load_rate.value,
        detail=f"{formats.significant(one.load_client_us)}{server} µs CPU",
        notes=() if one.bulk else (ONE_BY_ONE,),
    )


def _space(figure: Estimate | None) -> Cell:
    if figure is None:
        return Cell(formats.NOTHING, tone="none")
    text = formats.significant(figure.value)
    return Cell(text, number=figure.value, detail=formats.interval(figure, 1))
