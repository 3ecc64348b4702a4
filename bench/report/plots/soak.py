"""Endurance over time: latency of each interval, growth, and what the store did meanwhile."""

import numpy as np
from matplotlib.axes import Axes

from bench.analysis.soak import SoakSeries
from bench.report.plots import canvas
from bench.report.plots.palette import HARMED, PLAIN, QUIET, Look
from bench.report.plots.scene import Plot, Scene

HEIGHT = 1.25
"""Inches of a row."""
LATE = "#BBBBBB"
GROWTH = (
    ("data_bytes", "data", "-"),
    ("index_bytes", "index", (0, (5, 1.5))),
    ("log_bytes", "log", (0, (1.5, 1.2))),
    ("memory_bytes", "memory", (0, (5, 1.2, 1.2, 1.2))),
)
"""Counter, its name, its line."""
READING = (
    "Left: response of each interval, from when a rotation was due: p50 (line), p99 (upper edge)."
    " ▼ a stall. Red lines: what the store did, by its own counters. Grey: the generator itself"
    " was late, so that little can be said of the store. Right: how large its data, index, log and"
    " memory are, as it says. Each row has scales of its own."
)
WORDS_EVERY = 0.12
"""Of the axis: an event nearer to the last one that was named goes unnamed."""


def draw(scene: Scene) -> Plot | None:
    """Draw a row a store, in the order of the classes."""
    order = [subject.label for _, members in scene.stores() for subject in members]
    series = [one for label in order for one in scene.summary.soak if one.label == label]
    if not series:
        return None
    figure = canvas.sheet(HEIGHT * len(series) + 0.5)
    every = figure.subplots(len(series), 2, sharex=True, squeeze=False, width_ratios=[2.2, 1])
    for (left, right), one in zip(every, series, strict=True):
        look = scene.looks[one.label]
        left.set_title(f"{look.name} · {one.durability}", weight="bold")
        _latency(left, one, look)
        _growth(right, one, look)
    for axes in every[-1]:
        axes.set_xlabel("seconds")
    first = series[0]
    canvas.finish(
        figure,
        f"Endurance: {first.rate:,.0f} rotations a second over time",
        [READING, " ".join([*scene.left_out(), scene.conditions])],
    )
    return Plot(
        figure,
        "Response of rotations over time, with the stalls and what the store did at the time; and"
        " the growth of its data, index, log and memory.",
        "; ".join(
            f"{one.label}: {sum(point.stall for point in one.points)} stalls in"
            f" {len(one.points)} intervals"
            for one in series
        )
        + ".",
    )


def _latency(axes: Axes, one: SoakSeries, look: Look) -> None:
    width = one.interval_seconds
    told = [point for point in one.points if point.p50_ns is not None]
    middle = np.array([point.at_seconds + width / 2 for point in told])
    p50 = np.array([(point.p50_ns or 0) / 1e6 for point in told])
    p99 = np.array([(point.p99_ns or point.longest_ns or 0) / 1e6 for point in told])
    axes.fill_between(middle, p50, p99, color=look.colour, alpha=0.28, linewidth=0)
    axes.plot(middle, p99, color=look.colour, linewidth=0.8)
    axes.plot(middle, p50, color=look.colour, linewidth=1.5)
    for point in one.points:
        if point.late:
            axes.axvspan(
                point.at_seconds, point.at_seconds + width, color=LATE, alpha=0.45, linewidth=0
            )
    stalls = [n for n, point in enumerate(told) if point.stall]
    axes.plot(middle[stalls], p99[stalls] * 1.25, marker="v", linestyle="", color=PLAIN)
    canvas.log_axis(axes, "y", "ms (log)")
    _events(axes, one)


def _events(axes: Axes, one: SoakSeries) -> None:
    """Mark each event where it begins, and name it where there is room."""
    before: set[str] = set()
    reach = len(one.points) * one.interval_seconds
    named_at = -reach
    for point in one.points:
        begun = [event for event in point.events if event not in before]
        before = set(point.events)
        if not begun:
            continue
        axes.axvline(point.at_seconds, color=HARMED, linewidth=0.8, linestyle=(0, (3, 2)))
        if point.at_seconds - named_at > WORDS_EVERY * reach:
            named_at = point.at_seconds
            axes.annotate(
                ", ".join(begun), (point.at_seconds, 0.97), (2, 0),
                xycoords=("data", "axes fraction"), textcoords="offset points",
                fontsize=6.5, color=HARMED, va="top",
            )  # fmt: skip


def _growth(axes: Axes, one: SoakSeries, look: Look) -> None:
    at = [number * one.interval_seconds for number in range(len(one.points) + 1)]
    for name, words, line in GROWTH:
        values = one.counters.get(name)
        if values:
            megabytes = [value / 1e6 for value in values]
            axes.plot(at[: len(values)], megabytes, color=look.colour, linestyle=line, label=words)
    if not axes.lines:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "it doesn't say", transform=axes.transAxes, ha="center",
                  fontsize=7.5, color=QUIET)  # fmt: skip
        return
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MB")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.05), borderaxespad=0, fontsize=7)
