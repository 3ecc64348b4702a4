"""Operations a second, by workload and number of connections."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from bench.analysis.latency import LatencyCell, Metric
from bench.report.plots import canvas, facets, marks
from bench.report.plots.palette import Look
from bench.report.plots.scene import Plot, Scene

METRIC: Metric = "throughput"
READING = (
    "Median over trials, closed loop; bars: 95% interval over trials, or lowest to highest of fewer"
    " than five. Each row has a scale of its own. mixed: 11% issue, 88% rotate, 1% revoke."
)


def draw(scene: Scene) -> Plot | None:
    """Draw a line a subject, class by class."""
    drawn = facets.grid(scene, "operations/s (log)", _line, lines=True)
    if drawn is None:
        return None
    figure, shown = drawn
    canvas.finish(
        figure,
        "Throughput by workload and connections",
        [
            f"{READING} {marks.reading(shown, METRIC)}",
            " ".join([facets.sizes(shown), *scene.left_out(), scene.conditions]),
        ],
    )
    marks.legend(figure, [marks.standing(cell, METRIC) for cell in shown])
    return Plot(
        figure,
        "Throughput (operations a second, log) of each workload at each number of connections.",
        "Lines of throughput over connections for every subject, in a grid of durability classes"
        f" and workloads. The figures are in the table of every cell.{marks.told(shown, METRIC)}",
    )


def _line(axes: Axes, places: Sequence[float], cells: Sequence[LatencyCell], look: Look) -> None:
    middle = [cell.throughput.value for cell in cells]
    axes.plot(places, middle, color=look.colour, linestyle=look.line, zorder=2)
    for x, cell in zip(places, cells, strict=True):
        estimate = cell.throughput
        axes.plot([x, x], [estimate.low, estimate.high], color=look.colour, linewidth=1.8, zorder=3)
        axes.plot(
            [x], [estimate.value], marker=look.marker, color=look.colour, zorder=4,
            **marks.fill(marks.standing(cell, METRIC), look.colour),
        )  # fmt: skip
