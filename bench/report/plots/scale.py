"""How a store takes growth: its latencies, the load rate, its memory, the space of a session."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from bench.analysis.estimate import Estimate
from bench.analysis.scale import ScaleFigures
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.palette import QUIET, Look
from bench.report.plots.scene import CLASS_TITLES, Plot, Scene

LATENCIES = ("verify", "rotate")
HEIGHT = 2.05
"""Inches of a row."""
LABELS = 4
"""Sizes that have room side by side; of more, every other one is named."""
NAMES = 5
"""Names of subjects that have room side by side."""
SPREAD = 0.4
"""Of the step from one size to the next, how much the subjects are set apart over."""
GUIDE_BYTES = 100
"""A session, of the line to hold memory against."""
READING = (
    "One store grows from left to right; the stores of a row are set apart sideways by a little."
    " Latency: p50 is the marker, p99 the tick, closed loop over the sessions added last; hollow:"
    " the load generator was the limit. Memory is all that was added to the empty store's: flat is"
    f" what a server takes anyway, parallel to the dots ({GUIDE_BYTES} B a session) what sessions"
    " take; below 4 MB nothing is said. Kept: rows or documents with their indexes, or the whole"
    " folder of who doesn't tell them apart, whose log weighs most on few; what stays in memory"
    " alone has none. Lines end where a store declares its bound, or loading was stopped. Each row"
    " has scales of its own."
)


def _latency(one: ScaleFigures, operation: str, percentile: str) -> float | None:
    visits = one.visits.get(operation)
    value = getattr(visits, f"{percentile}_ns") if visits else None
    return value / 1e6 if value else None


def _middle(figure: Estimate | None) -> float | None:
    return figure.value if figure else None


def _memory_mb(one: ScaleFigures) -> float | None:
    # A session's share of it would fall with their number, as if the store shrank: most is fixed.
    return one.memory_bytes.value * one.sessions / 1e6 if one.memory_bytes else None


MEMORY = "memory added"
PANELS: Mapping[str, tuple[str, Callable[[ScaleFigures], float | None]]] = {
    **{
        operation: ("ms (log)", partial(_latency, operation=operation, percentile="p50"))
        for operation in LATENCIES
    },
    "load rate": ("sessions/s (log)", lambda one: _middle(one.load_rate)),
    MEMORY: ("MB (log)", _memory_mb),
    "kept a session": ("B (log)", lambda one: _middle(one.kept_bytes)),
}
"""Title -> its unit, and the figure."""


def draw(scene: Scene) -> Plot | None:
    """Draw a row a durability class, a column a question."""
    figures = scene.summary.scale
    classes = [
        (durability, members)
        for durability, everyone in scene.stores()
        if (members := [s for s in everyone if any(one.label == s.label for one in figures)])
    ]
    if not classes:
        return None
    sizes = sorted({one.wanted for one in figures})
    figure = canvas.sheet(HEIGHT * len(classes) + 0.4)
    every = figure.subplots(len(classes), len(PANELS), sharex=True, squeeze=False)
    for row, (durability, members) in zip(every, classes, strict=True):
        asides = _asides(sizes, len(members))
        for axes, panel in zip(row, PANELS, strict=True):
            for subject, aside in zip(members, asides, strict=True):
                mine = [one for one in figures if one.label == subject.label]
                _line(axes, panel, mine, scene.looks[subject.label], aside)
            _dress(axes, panel, sizes)
        _head(row, CLASS_TITLES[durability], [scene.looks[subject.label] for subject in members])
    step = 1 if len(sizes) <= LABELS else 2
    labels = ["" if number % step else _short(size) for number, size in enumerate(sizes)]
    for axes in every[-1]:
        axes.set_xticks(sizes, labels)
        axes.set_xticks([], minor=True)
        axes.set_xlabel("sessions (log)")
    n = formats.span(len(one.trials) for one in figures)
    canvas.finish(
        figure,
        "Growth: what more sessions do to each store",
        [READING, " ".join([f"Trials of each store: n={n}.", *scene.left_out(), scene.conditions])],
    )
    return Plot(
        figure,
        "Latency of verify and rotate, load rate, memory added, and what is kept of a session,"
        " against the number of sessions (log).",
        f"Lines over the number of sessions, one a store, n={n}. The figures are in the table"
        f" below.{_limited(figures)}",
    )


def _asides(sizes: Sequence[int], members: int) -> Sequence[float]:
    """Give the factor that sets each subject of a row apart from the others."""
    steps = [larger / smaller for smaller, larger in pairwise(sizes)]
    spread = SPREAD * math.log10(min(steps, default=10))
    return [10 ** (spread * ((number + 0.5) / members - 0.5)) for number in range(members)]


def _limited(figures: Sequence[ScaleFigures]) -> str:
    where: dict[str, list[str]] = {}
    for one in figures:
        for operation in LATENCIES:
            if operation in one.visits and one.visits[operation].limited:
                at = f"{operation} at {_short(one.wanted)}"
                where.setdefault(one.label, []).append(at)
    each = [f"{label} ({', '.join(places)})" for label, places in where.items()]
    return f" Limited by the load generator: {formats.listed(each)}." if each else ""


def _line(axes: Axes, panel: str, mine: Sequence[ScaleFigures], look: Look, aside: float) -> None:
    _, figure = PANELS[panel]
    shown = [(one, one.sessions * aside, value) for one in mine if (value := figure(one))]
    if not shown:
        return
    axes.plot(
        [x for _, x, _ in shown], [value for _, _, value in shown],
        color=look.colour, linestyle=look.line, zorder=2,
    )  # fmt: skip
    for one, x, value in shown:
        p99 = _latency(one, panel, "p99")
        if p99:
            axes.plot([x, x], [value, p99], color=look.colour, linewidth=1, alpha=0.7)
            axes.plot([x], [p99], marker="_", color=look.colour, mew=1.4)
        hollow = panel in LATENCIES and one.visits[panel].limited
        axes.plot(
            [x], [value], marker=look.marker, color=look.colour,
            markerfacecolor="white" if hollow else look.colour, zorder=4,
        )  # fmt: skip


def _dress(axes: Axes, panel: str, sizes: Sequence[int]) -> None:
    """Give a panel its title and scales."""
    unit, _ = PANELS[panel]
    axes.set_xscale("log")
    axes.set_title(panel, weight="bold")
    if not axes.lines:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "nothing to tell", transform=axes.transAxes, ha="center",
                  fontsize=7.5, color=QUIET)  # fmt: skip
        return
    _widen(axes)
    canvas.log_axis(axes, "y", unit)
    if panel == MEMORY:
        limits = axes.get_ylim()
        guide = [size * GUIDE_BYTES / 1e6 for size in sizes]
        axes.plot(sizes, guide, color=QUIET, linestyle=":", linewidth=1, zorder=1)
        axes.set_ylim(limits)


def _head(row: Sequence[Axes], title: str, looks: Sequence[Look]) -> None:
    """Name the class above its row, and its subjects beside: to the right there is no room."""
    figure = row[0].get_figure(root=True)
    assert figure is not None
    room = "\n".join(" " * -(-len(looks) // NAMES))
    # The words are wider than a panel, so the layout sees but their height.
    for text, seen in ((title, False), (room, True)):
        row[0].annotate(
            text, (0, 1), xycoords="axes fraction", xytext=(0, 19), textcoords="offset points",
            fontsize=8, style="italic", va="bottom",
        ).set_in_layout(seen)  # fmt: skip
    above = ScaledTranslation(0, 15 / 72, figure.dpi_scale_trans)
    row[1].legend(
        handles=[_handle(look) for look in looks], loc="lower left", bbox_to_anchor=(0, 1),
        bbox_transform=row[1].transAxes + above, borderaxespad=0, ncols=NAMES,
    ).set_in_layout(False)  # fmt: skip


def _widen(axes: Axes) -> None:
    """Show a decade at least: what differs by a hundredth must look alike."""
    low, high = (axes.dataLim.y0, axes.dataLim.y1)
    spare = max((10 / (high / low)) ** 0.5, 1.25)
    axes.set_ylim(low / spare, high * spare)


def _short(size: int) -> str:
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if size >= unit:
            return f"{size / unit:g}{name}"
    return str(size)


def _handle(look: Look) -> Line2D:
    return Line2D(
        [], [], color=look.colour, marker=look.marker, linestyle=look.line, label=look.name
    )
