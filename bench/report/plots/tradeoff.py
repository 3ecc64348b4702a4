"""The picture that decides: how long a rotation takes, by what its store would lose."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.latency import LatencyCell, Metric
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.plots import canvas, facets, marks, rows
from bench.report.plots.palette import HARMED, PLAIN, QUIET, Look
from bench.report.plots.scene import Plot, Scene

READING = (
    "Farther left is faster; compare inside a band only. Point: p99 of all trials together; bar:"
    " 95% interval of the trials' own p99, or lowest to highest of fewer than five trials."
)
METRIC: Metric = "p99"
FIGURE, WORD = 0.145, 0.12
"""Of the axis, what the figure behind a bar takes, and the word that stands behind some."""
WORDS: Mapping[marks.Standing, str] = {"ranked": "", "limited": " limited", "unranked": " unranked"}
"""What stands behind a figure, so that the marker isn't all that tells."""
LOSSES = (
    "Lost: acknowledged writes that were gone afterwards; “≤” is the 95% bound that zero losses in"
    " n faults leave; uncontrolled: nobody lost any by that fault, so zero proves nothing."
)


def draw(scene: Scene) -> Plot | None:
    """Draw p99 of rotation for each subject in the band of its class, losses beside it."""
    summary = scene.summary
    at = summary.reference_connections
    found = {
        subject.label: summary.cell(subject.label, "rotate", at)
        for _, members in summary.by_class()
        for subject in members
    }
    drawn = {
        label: cell
        for label, cell in found.items()
        if cell and "n/a" not in cell.why and cell.percentiles_ns["99"] is not None
    }
    if not drawn:
        return None
    groups = [(durability, _sorted(members, drawn)) for durability, members in summary.by_class()]
    layout = rows.place(groups)
    figure = canvas.sheet(layout.inches)
    faults = list(dict.fromkeys(fault.fault for fault in summary.faults))
    every = figure.subplots(
        1, 1 + len(faults), width_ratios=[3.4, *[1.25] * len(faults)], squeeze=False
    )
    main, *beside = every[0]
    for label, cell in drawn.items():
        _point(main, layout.at[label], cell, scene.looks[label])
    start_ms = min(map(_start_ms, drawn.values())) / 1.4
    main.set_xlim(start_ms, max(_reach_ms(cell, start_ms) for cell in drawn.values()))
    canvas.log_axis(main, "x", f"rotation p99 at {formats.count(at or 0, 'connection')}, ms (log)")
    rows.paint(main, layout, scene.looks)
    _nothing_drawn(main, layout, found)
    for axes, fault in zip(beside, faults, strict=True):
        words = {label: _loss(summary, label, fault) for label in layout.at}
        one, _, _ = formats.FAULTS.get(fault, (fault, fault, fault))
        rows.write(axes, layout, f"lost on {one}", words)
    shown = [*drawn.values()]
    reading = f"{READING} {marks.reading(shown, METRIC)}"
    canvas.finish(
        figure,
        f"What a rotation costs, by what its store is declared to keep (p99, {at} connections)",
        [
            f"{reading} {LOSSES}" if faults else reading,
            f"{facets.sizes(shown)} {scene.conditions}",
        ],
    )
    return Plot(
        figure,
        "Rotation p99 against the durability class each store declares, and what each fault took."
        " Stores are comparable inside a band, not across bands.",
        _alt(groups, drawn),
    )


def _sorted(
    members: Sequence[SubjectFacts], drawn: Mapping[str, LatencyCell]
) -> Sequence[SubjectFacts]:
    def by(subject: SubjectFacts) -> float:
        return _p99_ms(drawn[subject.label]) if subject.label in drawn else float("inf")

    return sorted(members, key=by)


def _p99_ms(cell: LatencyCell) -> float:
    p99 = cell.percentiles_ns["99"]
    assert p99 is not None, cell.label
    return p99 / 1e6


def _start_ms(cell: LatencyCell) -> float:
    return min(_p99_ms(cell), cell.p99_ns.low / 1e6 if cell.p99_ns else float("inf"))


def _end_ms(cell: LatencyCell) -> float:
    """Give where what is drawn of a cell ends, so that its figure can stand behind it."""
    return max(_p99_ms(cell), cell.p99_ns.high / 1e6 if cell.p99_ns else 0.0)


def _reach_ms(cell: LatencyCell, start_ms: float) -> float:
    """Give where the axis must end for a cell's figure to have its room.

    The axis is logarithmic: the figure takes a part of it, not so many ms.
    """
    behind = FIGURE + WORD * (marks.standing(cell, METRIC) != "ranked")
    return start_ms * math.pow(max(2.0, _end_ms(cell) / start_ms), 1 / (1 - behind))


def _point(axes: Axes, y: float, cell: LatencyCell, look: Look) -> None:
    stands = marks.standing(cell, METRIC)
    if cell.p99_ns is not None:
        ends = [cell.p99_ns.low / 1e6, cell.p99_ns.high / 1e6]
        axes.plot(ends, [y, y], color=look.colour, linewidth=2.2, solid_capstyle="butt", alpha=0.55)
    axes.plot(
        [_p99_ms(cell)], [y], marker=look.marker, color=look.colour, markersize=7,
        markeredgewidth=1.5, zorder=4, **marks.fill(stands, look.colour),
    )  # fmt: skip
    axes.annotate(
        _figure(cell), (_end_ms(cell), y), (7, 0),
        textcoords="offset points", fontsize=7, va="center", color="#333333",
    )  # fmt: skip


def _figure(cell: LatencyCell, unit: str = "") -> str:
    figure = formats.milliseconds(_p99_ms(cell) * 1e6)
    return f"{figure}{unit}{WORDS[marks.standing(cell, METRIC)]}"


def _nothing_drawn(axes: Axes, layout: rows.Rows, found: Mapping[str, LatencyCell | None]) -> None:
    for label, cell in found.items():
        if cell is None or "n/a" in cell.why or cell.percentiles_ns["99"] is None:
            text = "not measured"
            if cell is not None:
                few = f"{formats.count(cell.operations, 'rotation')}: too few for a p99"
                text = "n/a: there is no store to time" if "n/a" in cell.why else few
            axes.text(
                0.03, layout.at[label], text, transform=axes.get_yaxis_transform(),
                fontsize=7.6, color=QUIET, va="center",
            )  # fmt: skip


def _loss(summary: Summary, label: str, fault: str) -> tuple[str, str]:
    figures = summary.fault(label, fault)
    if figures is None:
        return summary.absence(label, fault), QUIET
    if figures.held_by_client:
        return "n/a", QUIET
    loss = figures.losses["lost_writes"]
    if loss.bound is None:
        return f"{loss.total:,} of {figures.acknowledged:,}", HARMED
    n = len(figures.trials)
    if not summary.controlled(fault, "lost_writes"):
        return f"0 of {figures.acknowledged:,} (uncontrolled)", QUIET
    return f"0 of {figures.acknowledged:,} (n={n}: ≤ {formats.bound(loss.bound)})", PLAIN


def _alt(
    groups: Sequence[tuple[Durability, Sequence[SubjectFacts]]], drawn: Mapping[str, LatencyCell]
) -> str:
    parts = []
    for durability, members in groups:
        figures = [
            f"{subject.label} {_figure(drawn[subject.label], ' ms')}"
            for subject in members
            if subject.label in drawn
        ]
        if figures:
            parts.append(f"{durability}: {', '.join(figures)}")
    return (
        "Rotation p99 by durability class; limited: the load generator was the limit."
        f" {'; '.join(parts)}."
    )
