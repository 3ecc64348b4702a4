"""Of what was acknowledged, what is gone after a failover: a bar a topology, a column a fault."""

from matplotlib.axes import Axes

from bench.analysis.failover import FailoverFigures
from bench.report import formats
from bench.report.plots import canvas
from bench.report.plots.scene import Plot, Scene

LOST, KEPT, QUIET, PLAIN = "#B3000C", "#B9C4CE", "#777777", "#222222"
ROW = 0.46
"""Inches: two lines of text beside each bar."""
READING = (
    "Bar: all writes acknowledged in the trial, to clients on either side; red: those whose effect"
    " was gone once all members agreed again. Uncontrolled: nobody in this run lost anything by"
    " this fault, so zero proves nothing. Spent twice: a token that both sides accepted, so it has"
    " two holders. Wrote again: from the fault until the majority's first acknowledged write; of a"
    " cluster that shares the keys out, whichever keys come first."
)


def draw(scene: Scene) -> Plot | None:
    """Draw the share of acknowledged writes that a failover lost."""
    every = scene.summary.failovers
    if not every:
        return None
    faults = list(dict.fromkeys(figures.fault for figures in every))
    labels = list(dict.fromkeys(figures.label for figures in every))
    figure = canvas.sheet(len(labels) * ROW + 0.7)
    columns = figure.subplots(1, len(faults), squeeze=False)[0]
    for number, (axes, fault) in enumerate(zip(columns, faults, strict=True)):
        axes.set_ylim(len(labels) - 0.45, -0.55)
        axes.set_xlim(0, 100)
        axes.set_xlabel("acknowledged writes, %")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        names = [scene.looks[label].name for label in labels] if number == 0 else []
        axes.set_yticks([*range(len(names))], names)
        at = {figures.label: figures for figures in every if figures.fault == fault}
        paused = any("pause" in figures.means for figures in at.values())
        axes.set_title(fault + (" (as a pause)" if paused else ""), weight="bold")
        for y, label in enumerate(labels):
            _bar(axes, y, at.get(label))
    n = "–".join(map(str, sorted({len(figures.trials) for figures in every})))
    canvas.finish(
        figure,
        "Acknowledged, and gone when another server took over",
        [READING, f"n={n} of each fault. {scene.conditions}"],
    )
    return Plot(
        figure,
        "Share of acknowledged writes that were lost in a failover.",
        "; ".join(_words(figures) for figures in every) + ".",
    )


def _bar(axes: Axes, y: float, figures: FailoverFigures | None) -> None:
    if figures is None or not figures.acknowledged:
        text = "not measured" if figures is None else "nothing was acknowledged"
        axes.text(1, y, text, va="center", fontsize=7.2, color=QUIET)
        return
    lost = 100 * figures.lost_writes / figures.acknowledged
    axes.barh(y - 0.17, 100, height=0.34, color=KEPT, linewidth=0)
    axes.barh(y - 0.17, lost, height=0.34, color=LOST, linewidth=0)
    text = f"{figures.lost_writes:,} of {figures.acknowledged:,} lost"
    if not figures.lost_writes and not figures.controlled_by:
        text += " (uncontrolled)"
    if figures.double_spends:
        text += f"; {figures.double_spends:,} tokens spent twice"
    until = figures.unavailable_ns
    text += "; never wrote again" if until is None else f"; wrote again after {until / 1e9:.1f} s"
    colour = LOST if figures.lost_writes or figures.double_spends else PLAIN
    axes.text(0.6, y + 0.19, text, va="center", fontsize=7.2, color=colour)


def _words(figures: FailoverFigures) -> str:
    return (
        f"{figures.label}, {figures.fault}: {formats.count(figures.lost_writes, 'write')} lost of"
        f" {figures.acknowledged:,}, {formats.count(figures.double_spends, 'token')} spent twice"
    )
