"""How many instances won one race for one token."""

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from bench.analysis.consistency import RaceFigures
from bench.report.plots import canvas, rows
from bench.report.plots.scene import Plot, Scene

NONE, ONE, TWO, MORE = "#FFFFFF", "#B9C4CE", "#EE6A50", "#A50F15"
QUIET = "#777777"
READING = (
    "Instances, each a process of its own, rotate one token at the same moment. A race counts where"
    " another call overlapped the winner's. Beside each bar: the most winners, and the number of"
    " contested races. With several winners nobody can tell a thief from the owner."
)


def draw(scene: Scene) -> Plot | None:
    """Draw the share of races by their number of winners, one column a number of instances."""
    summary = scene.summary
    instances = sorted({races.instances for races in summary.races})
    if not instances:
        return None
    layout = rows.place(summary.by_class())
    figure = canvas.sheet(layout.inches)
    every = figure.subplots(1, len(instances), squeeze=False)[0]
    for number, (axes, n) in enumerate(zip(every, instances, strict=True)):
        rows.paint(axes, layout, None if number else scene.looks)
        axes.set_title(f"{n} instances", weight="bold")
        axes.set_xlim(0, 163)
        axes.set_xticks([0, 50, 100], ["0", "50", "100"])
        axes.set_xlabel("contested races, %")
        at = {races.label: races for races in summary.races if races.instances == n}
        for label, y in layout.at.items():
            _bar(axes, y, at.get(label))
    contested = sum(races.contested for races in summary.races)
    canvas.finish(
        figure,
        "Winners of a race for one token",
        [
            READING,
            f"{contested:,} contested races. {scene.conditions}",
        ],
    )
    figure.legend(
        handles=[
            Patch(facecolor=ONE, edgecolor="#555555", label="one winner"),
            Patch(facecolor=TWO, edgecolor="#555555", hatch="////", label="two winners"),
            Patch(facecolor=MORE, edgecolor="#555555", label="three or more winners"),
            Patch(facecolor=NONE, edgecolor="#555555", hatch="\\\\\\\\", label="no winner"),
        ],
        loc="upper right",
        bbox_to_anchor=(0.995, 1 - 0.04 / figure.get_figheight()),
        ncols=4,
    ).set_in_layout(False)
    return Plot(
        figure,
        "Winners per race among app instances that rotate one token at the same moment.",
        "; ".join(
            f"{races.label}, {races.instances} instances: at most {races.most_winners} winners in"
            f" {races.contested:,} contested races"
            for races in summary.races
        )
        + ".",
    )


def _bar(axes: Axes, y: float, races: RaceFigures | None) -> None:
    if races is None or not races.contested:
        text = "not measured" if races is None else "no race was contested"
        axes.text(2, y, text, va="center", fontsize=7.2, color=QUIET)
        return
    left = 0.0
    for winners, rounds in races.winners.items():
        colour = {0: NONE, 1: ONE, 2: TWO}.get(winners, MORE)
        hatch = {0: "\\\\\\\\", 2: "////"}.get(winners)
        share = 100 * rounds / races.contested
        axes.barh(
            y, share, left=left, height=0.6, color=colour, edgecolor="#555555", hatch=hatch,
            linewidth=0.6,
        )  # fmt: skip
        left += share
    text = f"max {races.most_winners} (n={races.contested:,})"
    bad = races.double_spends > 0
    axes.text(
        103, y, text, va="center", fontsize=7.2, color="#B3000C" if bad else "#222222",
        weight="bold" if bad else "normal",
    )  # fmt: skip
