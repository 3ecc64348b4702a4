"""How a store takes growth: a rotation's latency, the load rate and the space of a session."""

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.estimate import Estimate
from bench.analysis.scale import ScaleFigures
from bench.report.plots import canvas
from bench.report.plots.palette import QUIET, Look
from bench.report.plots.scene import CLASS_TITLES, Plot, Scene

ROTATE = "rotate"
HEIGHT = 1.9
"""Inches of a row."""
LABELS = 4
"""Sizes that have room side by side; of more, every other one is named."""
READING = (
    "One store grows from left to right. Latency: p50 is the marker, p99 the tick, closed loop over"
    " the sessions added last; hollow: the load generator was the limit. Kept: rows or documents"
    " with their indexes; what stays in memory alone has none. Dots end where a store declares its"
    " bound, or loading was stopped. Each row has scales of its own."
)


def _latency(one: ScaleFigures, percentile: str) -> float | None:
    visits = one.visits.get(ROTATE)
    value = getattr(visits, f"{percentile}_ns") if visits else None
    return value / 1e6 if value else None


def _middle(figure: Estimate | None) -> float | None:
    return figure.value if figure else None


PANELS: Mapping[str, tuple[str, Callable[[ScaleFigures], float | None]]] = {
    ROTATE: ("ms (log)", lambda one: _latency(one, "p50")),
    "load rate": ("sessions/s (log)", lambda one: _middle(one.load_rate)),
    "memory a session": ("B (log)", lambda one: _middle(one.memory_bytes)),
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
    figure = canvas.sheet(HEIGHT * len(classes) + 0.4)
    every = figure.subplots(len(classes), len(PANELS), sharex=True, squeeze=False)
    for row, (durability, members) in zip(every, classes, strict=True):
        for axes, panel in zip(row, PANELS, strict=True):
            unit, _ = PANELS[panel]
            for subject in members:
                mine = [one for one in figures if one.label == subject.label]
                _line(axes, panel, mine, scene.looks[subject.label])
            axes.set_xscale("log")
            axes.set_title(panel, weight="bold")
            if axes.lines:
                _widen(axes)
                canvas.log_axis(axes, "y", unit)
            else:
                axes.set_yticks([])
                axes.text(0.5, 0.5, "nothing to tell", transform=axes.transAxes, ha="center",
                          fontsize=7.5, color=QUIET)  # fmt: skip
        row[-1].legend(
            handles=[_handle(scene.looks[subject.label]) for subject in members],
            loc="upper left", bbox_to_anchor=(1.02, 1.03), borderaxespad=0,
            title=CLASS_TITLES[durability], alignment="left",
            title_fontproperties={"size": 8, "style": "italic"},
        )  # fmt: skip
    sizes = sorted({one.wanted for one in figures})
    step = 1 if len(sizes) <= LABELS else 2
    labels = ["" if number % step else _short(size) for number, size in enumerate(sizes)]
    for axes in every[-1]:
        axes.set_xticks(sizes, labels)
        axes.set_xticks([], minor=True)
        axes.set_xlabel("sessions (log)")
    canvas.finish(
        figure,
        "Growth: what more sessions do to each store",
        [READING, " ".join([*scene.left_out(), scene.conditions])],
    )
    return Plot(
        figure,
        "Rotation latency, load rate, and memory and disk of a session, against the number of"
        " sessions (log).",
        "Lines over the number of sessions, one a store. The figures are in the table below.",
    )


def _line(axes: Axes, panel: str, mine: Sequence[ScaleFigures], look: Look) -> None:
    _, figure = PANELS[panel]
    shown = [(one, value) for one in mine if (value := figure(one))]
    if not shown:
        return
    axes.plot(
        [one.sessions for one, _ in shown], [value for _, value in shown],
        color=look.colour, linestyle=look.line, zorder=2,
    )  # fmt: skip
    for one, value in shown:
        p99 = _latency(one, "p99") if panel == ROTATE else None
        if p99:
            axes.plot([one.sessions] * 2, [value, p99], color=look.colour, linewidth=1, alpha=0.7)
            axes.plot([one.sessions], [p99], marker="_", color=look.colour, mew=1.4)
        hollow = panel == ROTATE and one.visits[ROTATE].limited
        axes.plot(
            [one.sessions], [value], marker=look.marker, color=look.colour,
            markerfacecolor="white" if hollow else look.colour, zorder=4,
        )  # fmt: skip


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
