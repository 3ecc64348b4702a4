"""What a longer fault takes: panels of topologies, in each a bar a length, lost at its foot."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from bench.analysis.failover import FailoverFigures, Waited, several_lengths
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.failover import words
from bench.report.plots.palette import (
    HARMED,
    KEPT,
    PLAIN,
    QUIET,
    UNPROVEN,
    UNPROVEN_LINES,
    patch,
)
from bench.report.plots.scene import Plot, Scene

COLUMNS = 2
"""Panels side by side: in three columns the words below the bars would touch."""
HEIGHT, LINE = 1.4, 8.4
"""Of a panel without the words below, inches; of a line of them, points."""
GAP = 0.6
"""Of a bar, between partitions and kills."""
SMALL = 6.8
OFF = 0.1
"""Of the time asked for: what a fault may last longer without being said to."""
READING = (
    "Each bar: the writes acknowledged in a trial, to clients on either side, until the fault was"
    " healed; red, with its number above: those whose effect was gone once all members agreed again"
    " (both are means over trials). Hatched: nobody in this run lost anything by this fault, so"
    " zero proves nothing (uncontrolled). Lasted: until it was healed; bold where that is not what"
    " was asked for, since a long partition isn't healed before another primary is there. Served"
    " again: from the fault until the majority's side has its writes acknowledged at half the rate"
    " of before; >: not before the load ended with the fault. Both times are medians over trials."
    " Spent twice: tokens that both sides accepted, a trial. One scale for all."
)

Fault = tuple[str, float]
"""Strike, and how long it lasts, seconds."""


def draw(scene: Scene) -> Plot | None:
    """Draw acknowledged and lost writes against the length of the fault, a panel a topology."""
    every = scene.summary.failovers
    if not several_lengths(every):
        return None
    labels = list(dict.fromkeys(one.label for one in every))
    columns = min(COLUMNS, len(labels))
    rows = -(-len(labels) // columns)
    heads = _heads(every)
    figure = canvas.sheet((HEIGHT + len(heads) * LINE / 72) * rows + 0.1)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    places = _places(list(dict.fromkeys(_fault(one) for one in every)))
    for number, axes in enumerate(grid.flat):
        if number >= len(labels):
            axes.set_axis_off()
            continue
        label = labels[number]
        _panel(axes, {_fault(one): one for one in every if one.label == label}, places, heads)
        axes.set_title(scene.looks[label].name, weight="bold", fontsize=8)
    for row in grid:
        row[0].set_ylabel("writes a trial")
        row[0].yaxis.set_major_formatter("{x:,.0f}")
        for line, head in enumerate(heads):
            _word(row[0], ("axes fraction", 0), line, head, ha="right", color=QUIET)
    most = max(one.acknowledged / max(one.decided, 1) for one in every)
    grid[0][0].set_ylim(0, 1.13 * most)
    n = formats.span(one.decided for one in every)
    canvas.finish(
        figure,
        "Acknowledged, and lost, the longer the fault lasts",
        [READING, f"n={n} decided of each fault. {scene.conditions}"],
    )
    canvas.legend(
        figure,
        [
            patch("kept", KEPT),
            patch("none lost, uncontrolled", KEPT, UNPROVEN),
            patch("lost", HARMED),
        ],
    )
    return Plot(
        figure,
        "Acknowledged and lost writes against the length of the fault, a panel a topology.",
        "; ".join(words(one) for one in every) + ".",
    )


def _fault(figures: FailoverFigures) -> Fault:
    return figures.strike, figures.seconds


def _places(faults: Sequence[Fault]) -> Mapping[Fault, float]:
    """Place the faults side by side, with a gap where another strike begins."""
    first = faults[0][0]
    return {fault: x + GAP * (fault[0] != first) for x, fault in enumerate(faults)}


def _heads(every: Sequence[FailoverFigures]) -> Sequence[str]:
    """Name the lines of words below the bars; of one trial it is plain how many lost something."""
    several = any(one.decided > 1 for one in every)
    lost_in = ["trials with loss"] if several else []
    return ["fault", "asked for, s", "lasted, s", "served again, s", *lost_in, "spent twice"]


def _panel(
    axes: Axes,
    at: Mapping[Fault, FailoverFigures],
    places: Mapping[Fault, float],
    heads: Sequence[str],
) -> None:
    axes.grid(visible=False, axis="x")
    axes.set_xticks([])
    axes.set_xlim(-0.6, max(places.values()) + 0.6)
    for fault, x in places.items():
        one = at.get(fault)
        words = _below(fault, one)
        for line, head in enumerate(heads):
            weight = "bold" if head.startswith("lasted") and one and _off(one) else "normal"
            _word(axes, ("data", x), line, words.get(head, ""), ha="center", weight=weight)
        if one:
            _bar(axes, x, one)


def _bar(axes: Axes, x: float, one: FailoverFigures) -> None:
    n = one.decided
    if not n:
        axes.text(x, 0, "undecided", rotation=90, ha="center", fontsize=7.2, color=QUIET)
        return
    unproven = not one.lost_writes and not one.controlled_by
    axes.bar(
        x, one.acknowledged / n, width=0.78, color=KEPT, linewidth=0,
        hatch=UNPROVEN if unproven else None, edgecolor=UNPROVEN_LINES,
    )  # fmt: skip
    axes.bar(x, one.lost_writes / n, width=0.78, color=HARMED, linewidth=0)
    axes.annotate(
        f"{one.lost_writes / n:,.0f}",
        (x, one.acknowledged / n), xytext=(0, 2), textcoords="offset points", ha="center",
        fontsize=7.2, weight="bold" if one.lost_writes else "normal",
        color=HARMED if one.lost_writes else QUIET if unproven else PLAIN,
    )  # fmt: skip


def _word(axes: Axes, x: tuple[str, float], line: int, word: str, **look: Any) -> None:
    """Write into a line below the axes, at an x of the data or to the left of all."""
    coordinates, at = x
    axes.annotate(
        word, (at, 0), xycoords=(coordinates, "axes fraction"),
        xytext=(-5 if coordinates == "axes fraction" else 0, -4.5 - line * LINE),
        textcoords="offset points", va="top", fontsize=SMALL, annotation_clip=False, **look,
    )  # fmt: skip


def _off(figures: FailoverFigures) -> bool:
    return abs(figures.lasted_ns / 1e9 - figures.seconds) > OFF * figures.seconds


def _below(fault: Fault, figures: FailoverFigures | None) -> Mapping[str, str]:
    """Give head -> word of one bar."""
    strike, seconds = fault
    if figures is None:
        return {"fault": strike, "asked for, s": f"{seconds:g}", "lasted, s": "not measured"}
    spent = figures.spent_twice
    return {
        "fault": "pause" if figures.paused else strike,
        "asked for, s": f"{seconds:g}",
        "lasted, s": f"{figures.lasted_ns / 1e9:.1f}",
        "served again, s": _served(figures.outage),
        "trials with loss": (
            f"{figures.trials_with_loss} of {figures.decided}" if figures.decided else "undecided"
        ),
        "spent twice": "undecided" if spent is None else f"{spent / len(figures.trials):,.3g}",
    }


def _served(outage: Waited | None) -> str:
    if outage is None:
        return formats.NOTHING
    return f"{'' if outage.over else '>'}{outage.ns / 1e9:.1f}"
