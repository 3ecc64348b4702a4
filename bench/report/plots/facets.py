"""A grid of axes: durability classes down, so that none is compared across, workloads across."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.analysis.latency import ALL, LatencyCell
from bench.report.plots import canvas
from bench.report.plots.palette import Look
from bench.report.plots.scene import CLASS_TITLES, Scene

WORKLOADS = {"issue": "issue", "verify": "verify", "rotate": "rotate", "mixed": ALL}
"""Workload -> the operation that stands for it."""
HEIGHT = 1.75
"""Inches of a row."""
SPREAD = 0.5
"""Of a concurrency's share of the axis, how much its subjects are set apart over."""

Stroke = Callable[[Axes, Sequence[float], Sequence[LatencyCell], Look], None]
"""Draws one subject's cells at these x positions."""


def grid(
    scene: Scene, unit: str, stroke: Stroke, *, lines: bool
) -> tuple[Figure, Sequence[LatencyCell]] | None:
    """Draw every subject of every class; give the figure and the cells it shows.

    `lines` says whether the stroke joins a subject's cells, so that the legend shows what is drawn.
    """
    cells = [cell for cell in scene.summary.cells if "n/a" not in cell.why]
    workloads = [name for name in WORKLOADS if any(c.workload == name for c in cells)]
    measured = {cell.label for cell in cells}
    classes = [
        (durability, [s for s in members if s.label in measured])
        for durability, members in scene.stores()
        if any(subject.label in measured for subject in members)
    ]
    if not workloads or not classes:
        return None
    connections = sorted({cell.connections for cell in cells})
    figure = canvas.sheet(HEIGHT * len(classes) + 0.35)
    every = figure.subplots(len(classes), len(workloads), sharex=True, sharey="row", squeeze=False)
    shown: list[LatencyCell] = []
    for row, (durability, members) in zip(every, classes, strict=True):
        for axes, workload in zip(row, workloads, strict=True):
            for number, subject in enumerate(members):
                mine = [
                    cell
                    for n in connections
                    for cell in cells
                    if (cell.label, cell.workload, cell.operation, cell.connections)
                    == (subject.label, workload, WORKLOADS[workload], n)
                ]
                if mine:
                    offset = SPREAD * ((number + 0.5) / len(members) - 0.5)
                    places = [connections.index(cell.connections) + offset for cell in mine]
                    stroke(axes, places, mine, scene.looks[subject.label])
                    shown += mine
            axes.set_xticks(range(len(connections)), map(str, connections))
            axes.set_xlim(-0.5, len(connections) - 0.5)
        row[-1].legend(
            handles=[_handle(scene.looks[subject.label], lines=lines) for subject in members],
            loc="upper left", bbox_to_anchor=(1.02, 1.03), borderaxespad=0,
            title=CLASS_TITLES[durability], alignment="left",
            title_fontproperties={"size": 8, "style": "italic"},
        )  # fmt: skip
    for axes, workload in zip(every[0], workloads, strict=True):
        axes.set_title(workload, weight="bold")
    for axes in every[-1]:
        axes.set_xlabel("connections")
    for row in every:
        canvas.log_axis(row[0], "y", unit)
    return figure, shown


def sizes(cells: Sequence[LatencyCell], mark: str = "point") -> str:
    """Say how many trials and operations stand behind a picture."""
    trials = sorted({len(cell.trials) for cell in cells})
    each = f"{trials[0]}" if len(trials) == 1 else f"{trials[0]} to {trials[-1]}"
    return f"{each} trials a {mark}, {sum(cell.operations for cell in cells):,} operations."


def _handle(look: Look, *, lines: bool) -> Line2D:
    line = look.line if lines else ""
    return Line2D([], [], color=look.colour, marker=look.marker, linestyle=line, label=look.name)
