"""Latency p50 and p99, by workload and number of connections."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from bench.analysis.latency import LatencyCell, Metric
from bench.report.plots import canvas, facets, marks
from bench.report.plots.palette import Look
from bench.report.plots.scene import Plot, Scene

METRIC: Metric = "p50"
READING = (
    "Marker: p50; tick at the upper end: p99, both of all trials' samples together, closed loop"
    " (the latency of a client that waits for each answer). No tick: too few samples for a p99."
    " Each row has a scale of its own."
)


def draw(scene: Scene) -> Plot | None:
    """Draw a bar from p50 to p99 for each subject, class by class."""
    drawn = facets.grid(scene, "latency, ms (log)", _bars, lines=False)
    if drawn is None:
        return None
    figure, shown = drawn
    canvas.finish(
        figure,
        "Latency by workload and connections",
        [
            f"{READING} {marks.reading(shown, METRIC)}",
            " ".join([facets.sizes(shown), *scene.left_out(), scene.conditions]),
        ],
    )
    marks.legend(figure, [marks.standing(cell, METRIC) for cell in shown])
    return Plot(
        figure,
        "Latency (ms, log) of each workload at each number of connections: from p50 to p99.",
        "Bars from p50 to p99 for every subject, in a grid of durability classes and workloads."
        f" The figures are in the table of every cell.{marks.told(shown, METRIC)}",
    )


def _bars(axes: Axes, places: Sequence[float], cells: Sequence[LatencyCell], look: Look) -> None:
    for x, cell in zip(places, cells, strict=True):
        p50, p99 = cell.percentiles_ns["50"], cell.percentiles_ns["99"]
        if p50 is None:
            continue
        if p99 is not None:
            axes.plot([x, x], [p50 / 1e6, p99 / 1e6], color=look.colour, linewidth=1.5)
            axes.plot([x], [p99 / 1e6], marker="_", color=look.colour, markersize=6, mew=1.6)
        axes.plot(
            [x], [p50 / 1e6], marker=look.marker, color=look.colour, zorder=4,
            **marks.fill(marks.standing(cell, METRIC), look.colour),
        )  # fmt: skip
