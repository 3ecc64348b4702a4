"""What was acknowledged and is gone, fault by fault."""

from matplotlib.axes import Axes

from bench.analysis.durability import FaultFigures
from bench.report import formats
from bench.report.plots import canvas, rows
from bench.report.plots.scene import Plot, Scene

BAD, QUIET, PLAIN = "#B3000C", "#777777", "#222222"
SMALLEST = 0.1
"""Percent; below it the axis is linear, so that zero has a place."""
READING = (
    "Bar: share of acknowledged writes (issues, rotations, revocations) whose effect was gone after"
    " the fault; beside it the counts and how far back the loss reached. “≤”: with zero losses in n"
    " faults, the 95% bound of the share of faults that lose. Resurrected: sessions whose rotated"
    " or revoked token was good again."
)


def draw(scene: Scene) -> Plot | None:
    """Draw a bar a subject in each fault's column."""
    summary = scene.summary
    faults = list(dict.fromkeys(figures.fault for figures in summary.faults))
    if not faults:
        return None
    groups = summary.by_class()
    layout = rows.place(groups)
    figure = canvas.sheet(layout.inches)
    every = figure.subplots(1, len(faults), squeeze=False)[0]
    for number, (axes, fault) in enumerate(zip(every, faults, strict=True)):
        rows.paint(axes, layout, None if number else scene.looks)
        axes.set_xscale("symlog", linthresh=SMALLEST, linscale=0.4)
        axes.set_xlim(0, 40_000)
        axes.set_xticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("acknowledged writes lost, % (log above 0.1)")
        _, done, _ = formats.FAULTS.get(fault, (fault, fault, fault))
        axes.set_title(done, weight="bold")
        for label, y in layout.at.items():
            _bar(axes, y, summary.fault(label, fault), scene.looks[label].colour)
    each = "–".join(map(str, sorted({len(figures.trials) for figures in summary.faults})))
    written = sum(figures.acknowledged for figures in summary.faults)
    canvas.finish(
        figure,
        "Acknowledged, but lost: by fault and declared durability class",
        [
            READING,
            f"n={each} of each fault, {written:,} acknowledged writes. {scene.conditions}",
        ],
    )
    return Plot(
        figure,
        "Acknowledged writes that were gone after each fault.",
        "; ".join(_words(figures) for figures in summary.faults) + ".",
    )


def _bar(axes: Axes, y: float, figures: FaultFigures | None, colour: str) -> None:
    if figures is None or figures.held_by_client:
        text = "not measured" if figures is None else "n/a (held by the client)"
        axes.text(0.01, y, text, va="center", fontsize=7.2, color=QUIET)
        return
    loss = figures.losses["lost_writes"]
    if loss.bound is not None:
        bound = f"(n={len(figures.trials)}: ≤ {formats.bound(loss.bound)})"
        text = f"0 of {figures.acknowledged:,} {bound}"
        axes.text(0.01, y, text, va="center", fontsize=7.2, color=PLAIN)
        return
    share = 100 * loss.total / figures.acknowledged
    axes.barh(y, share, height=0.55, color=colour, edgecolor=BAD, linewidth=0.8)
    back = sum(
        figures.losses[harm].total for harm in ("resurrected_rotated", "resurrected_revoked")
    )
    text = f"{loss.total:,} of {figures.acknowledged:,}"
    window_ns = figures.loss_window_ns
    text += f", {formats.milliseconds(window_ns)} ms back" if window_ns else ""
    text += f", {back:,} resurrected" if back else ""
    axes.text(share * 1.15, y, text, va="center", fontsize=7.2, color=BAD)


def _words(figures: FaultFigures) -> str:
    if figures.held_by_client:
        return f"{figures.label} on {figures.fault}: not applicable"
    lost = figures.losses["lost_writes"].total
    return f"{figures.label} on {figures.fault}: {lost:,} of {figures.acknowledged:,} lost"
