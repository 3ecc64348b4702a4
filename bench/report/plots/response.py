"""How long users wait, by how much is asked: response p99 against the offered rate."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.load import Capacity, LoadStep
from bench.report import formats
from bench.report.plots import canvas, marks
from bench.report.plots.palette import Look
from bench.report.plots.scene import CLASS_TITLES, Plot, Scene

HEIGHT = 2.1
"""Inches of a class."""
READING = (
    "Farther right carries more, lower keeps users waiting less; compare inside a row only. Each"
    " line climbs through the rates offered, open loop; its figures count from the intended start."
    " Hollow: limited, which means that the load generator was the limit, so not ranked. Half"
    " filled: not ranked since the store fell behind, or operations failed. Triangle on the bound:"
    " the highest rate carried with p99 below it; hollow where the generator, not the store, ended"
    " the search."
)


def draw(scene: Scene) -> Plot | None:
    """Draw a row a durability class, a line a subject."""
    summary = scene.summary
    capacities = {one.label: one for one in summary.capacities}
    steps = {
        label: [
            step
            for step in summary.load
            if step.label == label and step.place is not None and step.response_ns["99"]
        ]
        for label in capacities
    }
    classes = [
        (durability, mine)
        for durability, members in scene.stores()
        if (mine := [s for s in members if s.label in capacities])
    ]
    if not classes:
        return None
    bound_ms = summary.capacities[0].bound_ns / 1e6
    figure = canvas.sheet(HEIGHT * len(classes) + 0.35)
    every = figure.subplots(len(classes), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (durability, members) in zip(every, classes, strict=True):
        axes.axhline(bound_ms, color="#888888", linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        for subject in members:
            look = scene.looks[subject.label]
            _line(axes, steps[subject.label], look)
            _triangle(axes, capacities[subject.label], bound_ms, look)
        axes.legend(
            handles=[_handle(scene.looks[s.label], capacities[s.label]) for s in members],
            loc="upper left", bbox_to_anchor=(1.01, 1.03), borderaxespad=0,
            title=f"{CLASS_TITLES[durability]}: carried, operations/s", alignment="left",
            title_fontproperties={"size": 8, "style": "italic"},
        )  # fmt: skip
        axes.set_ylabel("response p99, ms (log)")
    canvas.log_axis(every[-1], "x", "operations offered a second (log)")
    canvas.log_axis(every[0], "y", "response p99, ms (log)")
    every[0].annotate(
        f"bound {bound_ms:g} ms", (0.995, bound_ms), (0, 2), textcoords="offset points", ha="right",
        xycoords=every[0].get_yaxis_transform(), fontsize=7, color="#555555",
    )  # fmt: skip
    offered = sum(step.offered for step in summary.load)
    canvas.finish(
        figure,
        "What users wait for, by how much is asked of the store",
        [READING, f"{formats.count(offered, 'operation')} offered. {scene.conditions}"],
    )
    return Plot(
        figure,
        "Response p99 against the offered rate, open loop, one row a durability class."
        " The triangle is the highest rate carried within the bound.",
        "; ".join(
            f"{one.label} carried {_carried(capacities[one.label])}"
            for _, members in classes
            for one in members
        )
        + ".",
    )


def _line(axes: Axes, steps: Sequence[LoadStep], look: Look) -> None:
    ordered = sorted(steps, key=lambda step: step.rate.value)
    rates = [step.rate.value for step in ordered]
    waits_ms = [(step.response_ns["99"] or 0) / 1e6 for step in ordered]
    axes.plot(rates, waits_ms, color=look.colour, linestyle=look.line, zorder=2)
    for rate, wait_ms, step in zip(rates, waits_ms, ordered, strict=True):
        axes.plot(
            [rate], [wait_ms], marker=look.marker, color=look.colour, zorder=3,
            **marks.fill(_standing(step), look.colour),
        )  # fmt: skip


def _standing(step: LoadStep) -> marks.Standing:
    if "generator-limited" in step.why:
        return "limited"
    return "ranked" if step.sound else "unranked"


def _triangle(axes: Axes, capacity: Capacity, bound_ms: float, look: Look) -> None:
    if not capacity.carried_in:
        return
    limited = "generator-limited" in capacity.why
    axes.plot(
        [capacity.rate.value], [bound_ms], marker="v", markersize=8, color=look.colour,
        markerfacecolor="white" if limited else look.colour, zorder=4,
    )  # fmt: skip


def _handle(look: Look, capacity: Capacity) -> Line2D:
    return Line2D(
        [], [], color=look.colour, marker=look.marker, linestyle=look.line,
        label=f"{look.name}: {_carried(capacity)}",
    )  # fmt: skip


def _carried(capacity: Capacity) -> str:
    if not capacity.carried_in:
        return "none"
    limited = " (generator-limited)" if "generator-limited" in capacity.why else ""
    least = "≥ " if "at least" in capacity.why else ""
    return f"{least}{formats.significant(capacity.rate.value)}{limited}"
