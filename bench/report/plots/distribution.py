"""The whole distribution of rotation latency, as far out as the samples carry it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from backends.store import Durability
from bench.analysis.latency import LatencyCell
from bench.report import formats
from bench.report.plots import canvas, facets
from bench.report.plots.palette import Look
from bench.report.plots.scene import CLASS_TITLES, Plot, Scene
from scenarios.histogram import value_ns

TICKS = {2: "p50", 10: "p90", 100: "p99", 1_000: "p99.9", 10_000: "p99.99", 100_000: "p99.999"}
"""1 / (share of the samples beyond) -> percentile."""
STEP = 1.03
"""Ratio of neighbouring points: finer than can be seen, coarser than a file of every bucket."""
COLUMNS = 2
READING = (
    "Each line: the latency (vertical) that a share of the rotations (horizontal) stayed at or"
    " below, from the samples of all trials together; it ends at the last rank that a sample lies"
    " beyond. Thin and pale: limited, which means that the load generator was the limit, so its own"
    " queue is in the figure. Each set of axes has a vertical scale of its own."
)


def draw(scene: Scene) -> Plot | None:
    """Draw one set of axes a durability class."""
    at = scene.summary.reference_connections
    classes = []
    for durability, members in scene.stores():
        every_cell = [scene.summary.cell(subject.label, "rotate", at) for subject in members]
        found = [cell for cell in every_cell if cell]
        if found:
            classes.append((durability, found))
    if not classes:
        return None
    rows = -(-len(classes) // COLUMNS)
    figure = canvas.sheet(2.5 * rows + 0.3)
    every = figure.subplots(rows, min(COLUMNS, len(classes)), sharex=True, squeeze=False)
    for axes in every.flat[len(classes) :]:
        axes.set_axis_off()
    for axes, (durability, cells) in zip(every.flat, classes, strict=False):
        for cell in cells:
            _line(axes, cell, scene.looks[cell.label])
        axes.set_title(CLASS_TITLES[durability], style="italic")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1.03), borderaxespad=0, fontsize=7.5)
        axes.tick_params(labelbottom=True)
        axes.set_ylabel("latency, ms (log)")
        axes.set_xscale("log")
        canvas.log_axis(axes, "y", "latency, ms (log)")
    reach = max(cell.operations for _, cells in classes for cell in cells)
    shown = {x: name for x, name in TICKS.items() if x <= reach}
    every.flat[0].set_xlim(1, max(shown, default=2) * 1.6)
    for axes in every.flat:
        axes.set_xticks([*shown], [*shown.values()])
        axes.set_xticks([], minor=True)
    canvas.finish(
        figure,
        f"Latency distribution of rotation at {at} connections, by durability class",
        [
            READING,
            " ".join(
                [
                    facets.sizes([cell for _, cells in classes for cell in cells], "line"),
                    *scene.left_out(),
                    scene.conditions,
                ]
            ),
        ],
    )
    return Plot(
        figure,
        f"Distribution of rotation latency at {formats.count(at or 0, 'connection')}, to the"
        " farthest percentile that the samples carry.",
        "Percentile curves of rotation latency, one set of axes a durability class. The figures"
        f" are in the table of every cell.{_limited(classes)}",
    )


def _line(axes: Axes, cell: LatencyCell, look: Look) -> None:
    beyond, latency_ms = _curve(cell)
    limited = "generator-limited" in cell.why
    axes.plot(
        beyond, latency_ms, color=look.colour, linestyle=look.line,
        linewidth=1.0 if limited else 1.9, alpha=0.75 if limited else 1.0,
        label=f"{look.name}, limited" if limited else look.name, zorder=2 if limited else 3,
    )  # fmt: skip


def _limited(classes: Sequence[tuple[Durability, Sequence[LatencyCell]]]) -> str:
    labels = [
        cell.label for _, cells in classes for cell in cells if "generator-limited" in cell.why
    ]
    return f" Limited by the load generator: {formats.listed(labels)}." if labels else ""


def _curve(cell: LatencyCell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give 1 / (share beyond) and latency in ms, thinned out to what can be seen."""
    buckets = sorted(cell.latency_ns)
    counts = np.array([cell.latency_ns[bucket] for bucket in buckets])
    upto = np.cumsum(counts)
    total = int(upto[-1])
    values_ms = np.array([value_ns(bucket) for bucket in buckets]) / 1e6
    inside = upto < total
    # From the fastest sample to the slowest but one, even where all of them share a bucket.
    last = values_ms[np.searchsorted(upto, max(total - 1, 1))]
    beyond = np.r_[1.0, total / (total - upto[inside]), total]
    latency_ms = np.r_[values_ms[0], values_ms[inside], last]
    steps = np.floor(np.log(beyond) / np.log(STEP))
    keep = np.r_[True, steps[1:] != steps[:-1]]
    return beyond[keep], latency_ms[keep]
