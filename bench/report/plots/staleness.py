"""How long a replica accepts what was revoked: a row a topology, from the median to the longest."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.analysis.staleness import StalenessFigures
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.palette import HARMED, PLAIN, QUIET, Look
from bench.report.plots.scene import Plot, Scene

ROW = 0.36
LEAST_MS = 0.1
"""Below it the axis is linear, so that zero has a place on it."""
READING = (
    "Farther left is sooner refused. Filled: half of all logouts were seen by then; hollow: 99 of"
    " 100; bar: the longest. The dots beyond it reach to where the longest could be, since nobody"
    " looked in between. Arrow: the rest was never refused while watched; a point that is missing"
    " lies beyond it. Zero: no look after the acknowledgement accepted the token. The axis is"
    f" logarithmic from {LEAST_MS:g} ms on."
)


def draw(scene: Scene) -> Plot | None:
    """Draw p50, p99 and the longest time that a revoked token was accepted."""
    every = scene.summary.staleness
    if not every:
        return None
    figure = canvas.sheet(len(every) * ROW + 0.6)
    axes, words = figure.subplots(1, 2, width_ratios=(3, 1.25))
    axes.set_xscale("symlog", linthresh=LEAST_MS, linscale=0.5)
    words.axis("off")
    words.set_xlim(0, 1)
    for each in (axes, words):
        each.set_ylim(len(every) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_yticks([*range(len(every))], [scene.looks[one.label].name for one in every])
    reach_ms = max((one.longest_ns or 0) + one.largest_gap_ns for one in every) / 1e6
    axes.set_xlim(-0.01, max(10 * LEAST_MS, 1.5 * reach_ms))
    for y, one in enumerate(every):
        _row(axes, y, one, scene.looks[one.label])
        colour = HARMED if one.never else PLAIN if one.accepted else QUIET
        words.text(0, y, _said(one), va="center", fontsize=7.6, color=colour)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.set_xlabel("accepted after the logout was acknowledged, ms (log)")
    logouts = sum(one.revocations for one in every)
    n = formats.span(len(one.trials) for one in every)
    canvas.finish(
        figure,
        "Logged out, and still accepted through a replica",
        [READING, f"n={n} of each, {logouts:,} logouts. {scene.conditions}"],
    )
    return Plot(
        figure,
        "For how long a replica accepted a revoked token: p50, p99 and the longest.",
        "; ".join(f"{one.label}: {_said(one)}" for one in every) + ".",
    )


def _row(axes: Axes, y: float, figures: StalenessFigures, look: Look) -> None:
    if figures.longest_ns is None and not figures.never:
        return
    known = (figures.p50_ns, figures.p99_ns, figures.longest_ns)
    p50, p99, longest = (None if ns is None else ns / 1e6 for ns in known)
    begin, end = p50 if p50 is not None else longest or 0.0, longest or 0.0
    if figures.never:
        _, edge = axes.get_xlim()
        axes.plot([begin, edge], [y, y], color=look.colour, linewidth=1.6, zorder=2)
        axes.plot([edge], [y], ">", color=look.colour, clip_on=False, zorder=4)
    else:
        beyond = end + figures.largest_gap_ns / 1e6
        axes.plot([begin, end], [y, y], color=look.colour, linewidth=1.6, zorder=2)
        axes.plot([end, beyond], [y, y], color=look.colour, linewidth=1, linestyle=":", zorder=2)
    if longest is not None:
        axes.add_line(
            Line2D([longest], [y], marker="|", markersize=11, mew=1.8, color=look.colour, zorder=3)
        )
    if p99 is not None:
        axes.plot([p99], [y], look.marker, color=look.colour, markerfacecolor="white", zorder=4)
    if p50 is not None:
        axes.plot([p50], [y], look.marker, color=look.colour, zorder=5)


def _said(figures: StalenessFigures) -> str:
    parts = [f"{figures.accepted:,} of {figures.revocations:,} still accepted"]
    if figures.longest_ns:
        parts.append(f"up to {formats.milliseconds(figures.longest_ns)} ms")
    if figures.never:
        parts.append(f"{figures.never:,} never refused while watched")
    return ", ".join(parts)
