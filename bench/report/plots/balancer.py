"""Of the refreshes behind a balancer, those refused: a bar a store, a column an arrangement."""

from matplotlib.axes import Axes

from bench.analysis.balancer import BalancerFigures
from bench.report import formats
from bench.report.plots import canvas, shares
from bench.report.plots.scene import Plot, Scene

READING = (
    "Bar: all refreshes that were answered; red, and in figures: those refused, so that the user"
    " had to log in again. One each: every instance has a store of its own, its memory or the disk"
    " of its host, since hosts can't share it; otherwise all are on one. Alive: sessions that some"
    " instance accepted after their logout had been acknowledged. Replaced: halfway the first"
    " instance gives way to one with an empty disk; restarted: it starts again where it was."
)


def draw(scene: Scene) -> Plot | None:
    """Draw the share of refreshes that instances refused; who shares nothing comes first."""
    every = scene.summary.balancers
    if not every:
        return None
    arrangements = list(dict.fromkeys(figures.arrangement for figures in every))
    stores = sorted(
        dict.fromkeys((figures.label, figures.apart) for figures in every),
        key=lambda store: not store[1],
    )
    figure, columns = shares.sheet(
        [scene.looks[label].name + (" (one each)" if apart else "") for label, apart in stores],
        [_head(arrangement) for arrangement in arrangements],
        "refreshes, %",
    )
    at = {(one.arrangement, one.label, one.apart): one for one in every}
    for axes, arrangement in zip(columns, arrangements, strict=True):
        for y, (label, apart) in enumerate(stores):
            _bar(axes, y, at.get((arrangement, label, apart)))
    n = formats.span(len(figures.trials) for figures in every)
    refreshes = sum(figures.refreshes for figures in every)
    canvas.finish(
        figure,
        "Refused because another instance was asked",
        [READING, f"n={n} of each, {refreshes:,} refreshes. {scene.conditions}"],
    )
    return Plot(
        figure,
        "Share of refreshes that app instances behind a balancer refused.",
        "; ".join(_words(figures) for figures in every) + ".",
    )


def _head(arrangement: str) -> str:
    """Break a heading, which the columns are too narrow for; the reading says when."""
    return arrangement.replace(" halfway", "").replace(", ", "\n")


def _bar(axes: Axes, y: float, figures: BalancerFigures | None) -> None:
    if figures is None or not figures.refreshes:
        # A store that all share has no disk of its own to start again on.
        shares.note(axes, y, formats.NOTHING if figures is None else "nothing was answered")
        return
    share = figures.all_refused / figures.refreshes
    alive = figures.alive_after_logout
    words = f"{alive:,} of {figures.logouts:,} alive" if figures.logouts else "no logout"
    shares.bar(axes, y, share, words, bad=alive > 0, inside=formats.percent(share))


def _words(figures: BalancerFigures) -> str:
    where = ", one store each" if figures.apart else ""
    return (
        f"{figures.label}, {figures.arrangement}{where}: {figures.all_refused:,} of"
        f" {formats.count(figures.refreshes, 'refresh', 'refreshes')} refused"
    )
