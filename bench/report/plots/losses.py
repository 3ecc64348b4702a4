"""What was acknowledged and is gone: every subject against every fault, at a glance."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.typing import ColorType

from bench.analysis import Summary
from bench.analysis.durability import FaultFigures, Harm
from bench.report import formats
from bench.report.plots import canvas, rows
from bench.report.plots.palette import (
    EDGE,
    HARM,
    KEPT,
    PLAIN,
    QUIET,
    UNPROVEN,
    UNPROVEN_LINES,
    patch,
)
from bench.report.plots.scene import Plot, Scene

DARK = 0.6
"""Share from which a cell is too dark for black letters."""
ROW = 1.3
"""A row has room for two lines."""
BACK: Sequence[Harm] = ("resurrected_rotated", "resurrected_revoked")
READING = (
    "Each cell is one kind of fault under load, n times, and counts acknowledged writes, lost of"
    " all. Red: some were gone afterwards, the darker the more, with how far back the loss reached"
    " and how many sessions had a rotated or revoked token good again (“back”). Blue: none lost;"
    " with n faults the true share of faults that lose is below the bound, at 95%. Hatched: none"
    " lost, but nobody lost any by this fault, so it proves nothing (uncontrolled)."
)


class Look(NamedTuple):
    """A cell's colour, its letters' colour, its hatch, and what it says."""

    colour: ColorType | None
    ink: str
    text: str
    hatch: str | None = None


def draw(scene: Scene) -> Plot | None:
    """Draw a cell for each subject and fault."""
    summary = scene.summary
    faults = list(dict.fromkeys(figures.fault for figures in summary.faults))
    if not faults:
        return None
    controls = summary.fault_controls()
    layout = rows.below(rows.place(summary.by_class()), formats.BESIDE, controls)
    figure = canvas.sheet(layout.inches * ROW)
    axes = figure.subplots()
    rows.paint(axes, layout, scene.looks)
    axes.set_xlim(0, len(faults))
    axes.grid(visible=False)
    axes.set_xticks(
        [number + 0.5 for number in range(len(faults))],
        [formats.FAULTS.get(fault, (fault,))[0] for fault in faults],
        weight="bold",
    )
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0)
    for number, fault in enumerate(faults):
        for label, y in layout.at.items():
            # A control is only put to those faults that it is needed for.
            if summary.fault(label, fault) or not any(one.label == label for one in controls):
                _cell(axes, number, y, _look(summary, label, fault), len(faults))
    trials = [len(figures.trials) for figures in summary.faults]
    each = formats.span((min(trials), max(trials)))
    written = sum(figures.acknowledged for figures in summary.faults)
    canvas.finish(
        figure,
        "Acknowledged, but lost",
        [READING, f"n={each} of each fault, {written:,} acknowledged writes. {scene.conditions}"],
    )
    canvas.legend(
        figure,
        [
            patch("none lost", KEPT),
            patch("none lost, uncontrolled", KEPT, UNPROVEN),
            patch("some lost", HARM(0.1)),
            patch("all lost", HARM(1.0)),
        ],
    )
    return Plot(
        figure,
        "Acknowledged writes that were gone after each fault.",
        "; ".join(_words(figures) for figures in summary.faults) + ".",
    )


def _cell(axes: Axes, x: int, y: float, look: Look, columns: int) -> None:
    # What has no figure has no box either: no shade of one could say that.
    if look.colour is not None:
        axes.add_patch(
            Rectangle(
                (x + 0.01, y - 0.46), 0.98, 0.92, facecolor=look.colour, hatch=look.hatch,
                edgecolor=UNPROVEN_LINES if look.hatch else EDGE, linewidth=0.4,
            )
        )  # fmt: skip
    # With many faults side by side a cell is narrow.
    size = 7.2 if columns <= 4 else 5.6  # noqa: PLR2004
    text = axes.text(x + 0.5, y, look.text, ha="center", va="center", fontsize=size, color=look.ink)
    if look.hatch:
        text.set_path_effects([withStroke(linewidth=2.5, foreground=KEPT)])


def _look(summary: Summary, label: str, fault: str) -> Look:
    figures = summary.fault(label, fault)
    if figures is None:
        return Look(None, QUIET, summary.absence(label, fault))
    if figures.held_by_client:
        return Look(None, QUIET, "n/a: held by\nthe client")
    loss, n = figures.losses["lost_writes"], len(figures.trials)
    if loss.bound is not None:
        bound = formats.bound(loss.bound)
        text = f"0 of {figures.acknowledged:,}\n{_back(figures) or f'n={n}: ≤ {bound}'}"
        proven = summary.controlled(figures.fault, "lost_writes")
        return Look(KEPT, PLAIN, text, None if proven else UNPROVEN)
    share = loss.total / figures.acknowledged
    ink = "#FFFFFF" if share > DARK else PLAIN
    after = _back(figures) if "never" in figures.came_back else _reach(figures)
    return Look(HARM(share), ink, f"{_much(figures)}\n{after}".strip())


def _much(figures: FaultFigures) -> str:
    lost = figures.losses["lost_writes"].total
    every = lost == figures.acknowledged
    return f"{'all' if every else f'{lost:,}'} of {figures.acknowledged:,}"


def _reach(figures: FaultFigures) -> str:
    """Say how far back a loss reached, and what it brought back."""
    back = sum(figures.losses[harm].total for harm in BACK)
    if figures.losses["lost_writes"].total == figures.acknowledged:
        # All reaches as far back as the load does, and where nothing is left nothing comes back.
        return f"{back:,} back" if back else ""
    # A window of one trial or a few has no third digit.
    return f"{formats.significant(figures.loss_window_ns / 1e9, 2)} s, {back:,} back"


def _back(figures: FaultFigures) -> str:
    """Say what a store needed after a fault that could have left it running; else nothing."""
    if "never" in figures.came_back:
        return "does not start again"
    if figures.fault in {"restart", "crash", "powercut"}:
        return ""
    return "needs a restart" if "restarted" in figures.came_back else "goes on by itself"


def _words(figures: FaultFigures) -> str:
    if figures.held_by_client:
        return f"{figures.label} on {figures.fault}: not applicable"
    lost = figures.losses["lost_writes"].total
    return f"{figures.label} on {figures.fault}: {lost:,} of {figures.acknowledged:,} lost"
