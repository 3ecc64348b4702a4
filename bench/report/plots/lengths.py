"""What a longer fault takes: panels of topologies, in each a bar a length, lost at its foot."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from bench.analysis.failover import FailoverFigures, Waited, several_lengths
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.failover import words
from bench.report.plots.palette import HARMED, PLAIN, QUIET, WHOLE
from bench.report.plots.scene import Plot, Scene

HEIGHT = 2.1
"""Inches of a row of panels."""
GAP = 0.6
"""Of a bar, between partitions and kills."""
SMALL = 6.8
ROWS = "fault\nlasted, s\nserved again, s\nspent twice"
"""What stands below each bar."""
READING = (
    "Each bar: the writes acknowledged in a trial, to clients on either side, until the fault was"
    " healed; red, with its number above: those whose effect was gone once all members agreed again"
    " (both are means over trials). 0?: nobody in this run lost anything by this fault, so it"
    " proves nothing. Served again: from the fault until the majority's side has its writes"
    " acknowledged at half the rate of before; >: not before the load ended with the fault."
    " Spent twice: tokens that both sides accepted, a trial. One scale for all."
)

Fault = tuple[str, float]
"""Strike, and how long it lasts, seconds."""


def draw(scene: Scene) -> Plot | None:
    """Draw acknowledged and lost writes against the length of the fault, a row a backend."""
    every = scene.summary.failovers
    if not several_lengths(every):
        return None
    backend = {subject.label: subject.backend for subject in scene.summary.subjects}
    kinds: dict[str, list[str]] = {}
    for label in dict.fromkeys(one.label for one in every):
        kinds.setdefault(backend[label], []).append(label)
    columns = max(map(len, kinds.values()))
    figure = canvas.sheet(HEIGHT * len(kinds) + 0.1)
    grid = figure.subplots(len(kinds), columns, sharey=True, squeeze=False)
    places = _places(list(dict.fromkeys(_fault(one) for one in every)))
    for row, labels in zip(grid, kinds.values(), strict=True):
        for axes, label in zip(row, labels, strict=False):
            mine = [one for one in every if one.label == label]
            _panel(axes, mine, places)
            axes.set_title(scene.looks[label].name.replace("@", "\n@"), weight="bold", fontsize=8)
        for axes in row[len(labels) :]:
            axes.set_axis_off()
        row[0].set_ylabel("writes a trial")
        row[0].yaxis.set_major_formatter("{x:,.0f}")
        row[0].annotate(
            ROWS, (0, 0), xycoords="axes fraction", xytext=(-5, -3.5), textcoords="offset points",
            ha="right", va="top", fontsize=SMALL, color=QUIET,
        )  # fmt: skip
    most = max(one.acknowledged / max(one.decided, 1) for one in every)
    grid[0][0].set_ylim(0, 1.13 * most)
    n = formats.span(one.decided for one in every)
    canvas.finish(
        figure,
        "Acknowledged, and lost, the longer the fault lasts",
        [READING, f"n={n} decided of each fault. {scene.conditions}"],
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


def _panel(axes: Axes, mine: Sequence[FailoverFigures], places: Mapping[Fault, float]) -> None:
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, max(places.values()) + 0.6)
    at = {_fault(one): one for one in mine}
    axes.set_xticks(
        [*places.values()],
        [_below(fault, at.get(fault)) for fault in places],
        fontsize=SMALL,
    )
    for fault, one in at.items():
        n, x = one.decided, places[fault]
        if not n:
            axes.text(x, 0, "undecided", rotation=90, ha="center", fontsize=7.2, color=QUIET)
            continue
        axes.bar(x, one.acknowledged / n, width=0.78, color=WHOLE, linewidth=0)
        axes.bar(x, one.lost_writes / n, width=0.78, color=HARMED, linewidth=0)
        proves = one.lost_writes or one.controlled_by
        axes.annotate(
            f"{one.lost_writes / n:,.0f}" + ("" if proves else "?"),
            (x, one.acknowledged / n), xytext=(0, 2), textcoords="offset points", ha="center",
            fontsize=7.2, weight="bold" if one.lost_writes else "normal",
            color=HARMED if one.lost_writes else PLAIN if proves else QUIET,
        )  # fmt: skip


def _below(fault: Fault, figures: FailoverFigures | None) -> str:
    """Say, a line each: the fault, how long it was, when they were served, what was spent twice."""
    strike, seconds = fault
    if figures is None:
        return f"{seconds:g} s\nnot\nmeasured\n"
    done = "pause " if "pause" in figures.means else "kill " if strike == "kill" else ""
    served = _served(figures.outage)
    lasted = f"{figures.lasted_ns / 1e9:.1f}"
    spent = figures.spent_twice
    twice = "undecided" if spent is None else f"{spent / len(figures.trials):,.3g}"
    return f"{done}{seconds:g} s\n{lasted}\n{served}\n{twice}"


def _served(outage: Waited | None) -> str:
    if outage is None:
        return formats.NOTHING
    return f"{'' if outage.over else '>'}{outage.ns / 1e9:.1f}"
