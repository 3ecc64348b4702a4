"""What an operation costs, in table cells: a figure, or the reason why there is none."""

from collections.abc import Sequence

from bench.analysis.cost import CostFigures, Spending
from bench.analysis.latency import LatencyCell
from bench.report import cells, formats
from bench.report.blocks import Cell, Column, Group, Material, Row, Table
from bench.report.comparison import CLASS_WORDS
from bench.report.formats import NOTHING
from scenarios.cost import Figure

COLUMNS: Sequence[tuple[Figure, Column]] = (
    ("written_bytes", Column("to disk", "B/op")),
    ("fsyncs", Column("fsyncs", "1/op")),
    ("sent_bytes", Column("sent", "B/op")),
    ("received_bytes", Column("received", "B/op")),
)
WHAT = (
    "To disk: pages that the server's processes made dirty, or the application's where the store is"
    " inside it; a page counts as a whole, and once until it is written back. Fsyncs of the same"
    " processes: below 1 where several writes share one. Sent and received: payload of the"
    " clients' TCP connections, without headers. Medians over trials."
)


SPENT: Sequence[Column] = (
    Column("server CPU", "µs/op"),
    Column("client CPU", "µs/op"),
    *(column for _, column in COLUMNS),
)
MEMORY: Sequence[Column] = (Column("server memory", "MB"), Column("client memory", "MB"))


def cost_cells(cost: CostFigures | None, source: str) -> Sequence[Cell]:
    """Write disk, fsyncs and network per operation, one cell a column."""
    return [_cost_cell(cost, name, source) for name, _ in COLUMNS]


def spent_cells(spent: Spending | None, source: str) -> Sequence[Cell]:
    """Write everything that an operation took, one cell a column of `SPENT`."""
    if spent is None:
        return [cells.NOT_MEASURED] * len(SPENT)
    return [
        cells.cpu_figure(spent.server_cpu_us, source),
        Cell(formats.significant(spent.client_cpu_us), spent.client_cpu_us, source=source),
        *cost_cells(spent.cost, source),
    ]


def memory_cell(size_bytes: int | None, source: str) -> Cell:
    """Write memory in MB, as it was at the end."""
    if size_bytes is None:
        return Cell(NOTHING, tone="none")
    return Cell(formats.megabytes(size_bytes), size_bytes / 1e6, source=source)


def cost_table(material: Material) -> Table:
    """Make the compact table: every cost of a rotation and of a login, subject by subject."""
    summary = material.summary
    at = summary.reference_connections
    columns = [*SPENT, *MEMORY]
    groups = []
    for operation in ("rotate", "issue"):
        for durability, members in summary.by_class():
            rows = [
                Row(
                    material.names[subject.label],
                    _row(cell),
                    material.colours[subject.backend],
                )
                for subject in members
                if (cell := summary.cell(subject.label, operation, at))
            ]
            if rows:
                groups.append(Group(f"{operation} · {CLASS_WORDS[durability]}", rows))
    return Table(
        name="cost",
        caption=f"What an operation costs, at {formats.count(at or 0, 'connection')}",
        corner="Subject",
        columns=columns,
        groups=groups,
        legend=[WHAT],
    )


def _row(cell: LatencyCell) -> Sequence[Cell]:
    if "n/a" in cell.why:
        return cells.held(4 + len(COLUMNS))
    client_us = cell.client_cpu_us
    return [
        cells.cpu_cell(cell),
        Cell(formats.significant(client_us) if client_us else NOTHING, client_us),
        *cost_cells(cell.cost, cells.source(cell)),
        cells.memory_cell(cell),
        Cell(formats.megabytes(cell.client_rss_bytes), cell.client_rss_bytes / 1e6),
    ]


def _cost_cell(cost: CostFigures | None, name: Figure, source: str) -> Cell:
    if cost is None:
        return Cell(NOTHING, tone="none")
    if name in cost.missing:
        column = dict(COLUMNS)[name].title
        return Cell(NOTHING, tone="none", notes=(f"No {column}: {cost.missing[name]}.",))
    figure = cost.per_operation[name]
    return Cell(
        formats.significant(figure.value),
        number=figure.value,
        detail=formats.interval(figure, 1),
        source=source,
    )
