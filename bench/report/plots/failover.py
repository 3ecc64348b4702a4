"""Of what was acknowledged, what is gone after a failover: a bar a topology, a column a fault."""

from matplotlib.axes import Axes

from bench.analysis.failover import FailoverFigures, Waited, several_lengths
from bench.report import formats
from bench.report.plots import canvas, shares
from bench.report.plots.scene import Plot, Scene

READING = (
    "Bar: all writes acknowledged in the trial, to clients on either side; red: those whose effect"
    " was gone once all members agreed again. Hatched, uncontrolled: nobody in this run lost"
    " anything by this fault, so zero proves nothing. Spent twice: a token that both sides"
    " accepted, so it has two holders. Served again: from the fault until the majority's side has"
    " its writes acknowledged at half the rate of before."
)


def draw(scene: Scene) -> Plot | None:
    """Draw the share of acknowledged writes that a failover lost, where each has one length."""
    every = scene.summary.failovers
    if not every or several_lengths(every):
        return None
    faults = list(dict.fromkeys(figures.fault for figures in every))
    labels = list(dict.fromkeys(figures.label for figures in every))
    paused = {figures.fault for figures in every if figures.paused}
    figure, columns = shares.sheet(
        [scene.looks[label].name for label in labels],
        [fault + (" (as a pause)" if fault in paused else "") for fault in faults],
        "acknowledged writes, %",
    )
    at = {(figures.fault, figures.label): figures for figures in every}
    for axes, fault in zip(columns, faults, strict=True):
        for y, label in enumerate(labels):
            _bar(axes, y, at.get((fault, label)))
    n = formats.span(figures.decided for figures in every)
    canvas.finish(
        figure,
        "Acknowledged, and gone when another server took over",
        [READING, f"n={n} decided of each fault. {scene.conditions}"],
    )
    return Plot(
        figure,
        "Share of acknowledged writes that were lost in a failover.",
        "; ".join(words(figures) for figures in every) + ".",
    )


def _bar(axes: Axes, y: float, figures: FailoverFigures | None) -> None:
    if figures is None:
        shares.note(axes, y, "not measured")
        return
    if not figures.decided or not figures.acknowledged:
        missing = "nothing was acknowledged" if figures.decided else "losses undecided"
        bad = bool(figures.spent_twice)
        shares.note(axes, y, f"{missing}; {_spent_twice(figures)}", bad=bad)
        return
    text = f"{figures.lost_writes:,} of {figures.acknowledged:,} lost"
    unproven = not figures.lost_writes and not figures.controlled_by
    if unproven:
        text += " (uncontrolled)"
    if figures.spent_twice != 0:
        text += f"; {_spent_twice(figures)}"
    text += _served_again(figures.outage)
    share = figures.lost_writes / figures.acknowledged
    bad = bool(figures.lost_writes or figures.spent_twice)
    shares.bar(axes, y, share, text, bad=bad, unproven=unproven)


def _served_again(outage: Waited | None) -> str:
    if outage is None:
        return ""
    seconds = f"{outage.ns / 1e9:.1f} s"
    return f"; served again after {seconds}" if outage.over else f"; not served for {seconds}"


def _spent_twice(figures: FailoverFigures) -> str:
    spent = figures.spent_twice
    if spent is None:
        return "spent twice: undecided"
    return f"{formats.count(spent, 'token')} spent twice"


def words(figures: FailoverFigures) -> str:
    """Say what a failover took, for who can't see the picture."""
    lost = "losses undecided"
    if figures.decided:
        lost = f"{formats.count(figures.lost_writes, 'write')} lost of {figures.acknowledged:,}"
    return f"{figures.label}, {figures.fault}: {lost}, {_spent_twice(figures)}"
