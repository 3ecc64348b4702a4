"""Who wins when instances meet: a cell a store and kind of race, red where the race is lost."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bench.analysis.consistency import RaceFigures, controls
from bench.report import formats
from bench.report.plots import canvas, rows
from bench.report.plots.palette import (
    HARMED,
    KEPT,
    PLAIN,
    QUIET,
    SOME,
    UNPROVEN,
    UNPROVEN_LINES,
    patch,
)
from bench.report.plots.scene import Plot, Scene

ALARM, NOTHING = "#F2CF66", "#FFFFFF"
ONE_LINE = 9
"""Characters that a cell has room for, side by side with a dozen others."""
HALF = 0.5
"""From this share of lost races on, the deeper red."""
EDGE = "#FFFFFF"
GAP = 0.35
"""Of a column, between kinds of races."""
NAIVE_HEADING = "naive ways: read, decide, write back (the positive control)"
READING = (
    "Races lost, of those contested. Instances, each a process of its own (threads, for memory),"
    " make their calls at the same moment. A race counts where a call overlapped the one that"
    " decided it, or harm was done. Red: a token was good afterwards that should not be: several"
    " holders of one session, or one that outlived its end. Yellow: somebody was refused as a"
    " thief, or refused otherwise, for nothing that anyone did. Hatched: none lost,"
    " but nobody in this run lost such a race, so it proves nothing (uncontrolled). None met: no"
    " call overlapped."
)


class Column(NamedTuple):
    """One kind of race."""

    contest: str
    mishap: str
    instances: int

    @property
    def kind(self) -> str:
        """Say what met."""
        met = formats.CONTESTS[self.contest].replace(" against ", "\nagainst ")
        return met if self.mishap == "none" else f"{met}\n({self.instances} instances)"

    @property
    def heading(self) -> str:
        """Say among how many, or what went wrong."""
        if self.mishap == "none":
            return f"{self.instances}\ninstances"
        return f"amid {self.mishap}".replace(" ", "\n")


def draw(scene: Scene) -> Plot | None:
    """Draw the matrix: the stores, and below them the naive ways of using them."""
    summary = scene.summary
    every = [*summary.races, *summary.other_races]
    columns = _columns(every)
    if not columns:
        return None
    naive = [subject for subject in summary.subjects if subject.naive]
    layout = rows.below(rows.place(summary.by_class()), NAIVE_HEADING, naive)
    figure = canvas.sheet(layout.inches + 0.55)
    axes = figure.subplots()
    rows.paint(axes, layout, scene.looks)
    places = _places(columns)
    _head(axes, columns, places)
    at = {(races.label, _key(races)): races for races in every}
    endless = {subject.label for subject in summary.subjects if "revokes" in subject.lacking}
    for label, y in layout.at.items():
        for x, column in zip(places, columns, strict=True):
            if label in endless and column.contest != "rotate":
                _note(axes, x, y, "n/a")
            else:
                _cell(axes, x, y, at.get((label, column)), every)
    contested = sum(races.contested for races in every)
    canvas.finish(
        figure,
        "Who loses when instances meet",
        [READING, f"{contested:,} contested races. {scene.conditions}"],
    )
    canvas.legend(
        figure,
        [
            patch("none lost", KEPT),
            patch("none lost, uncontrolled", KEPT, UNPROVEN),
            patch("false alarms", ALARM),
            patch("some lost", SOME),
            patch("half or more", HARMED),
        ],
    )
    return Plot(
        figure,
        "Races lost by each store and by the naive way of using it, by kind of race.",
        "; ".join(_words(races) for races in every if not races.unsuited) + ".",
    )


def _key(races: RaceFigures) -> Column:
    return Column(races.contest, races.mishap, races.instances)


def _columns(every: Sequence[RaceFigures]) -> Sequence[Column]:
    """Healthy races by what met and the number of instances, then the mishaps as they were run."""
    contests = list(formats.CONTESTS)
    return sorted(
        dict.fromkeys(map(_key, every)),
        key=lambda one: (one.mishap != "none", contests.index(one.contest), one.instances),
    )


def _places(columns: Sequence[Column]) -> Sequence[float]:
    """Place the columns side by side, with a gap where another kind of race begins."""
    places: list[float] = []
    for number, column in enumerate(columns):
        before = columns[number - 1] if number else column
        places.append((places[-1] + 1 if places else 0) + GAP * (column.kind != before.kind))
    return places


def _head(axes: Axes, columns: Sequence[Column], places: Sequence[float]) -> None:
    """Name the columns, and above them what met."""
    axes.set_xlim(-0.5, places[-1] + 0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(places, [column.heading for column in columns], fontsize=7.2)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    lines = 1 + max(column.heading.count("\n") for column in columns)
    groups: dict[str, list[float]] = {}
    for column, x in zip(columns, places, strict=True):
        groups.setdefault(column.kind, []).append(x)
    for kind, xs in groups.items():
        axes.annotate(
            kind, ((xs[0] + xs[-1]) / 2, 1), xycoords=("data", "axes fraction"),
            xytext=(0, 6 + 9 * lines), textcoords="offset points", ha="center", va="bottom",
            fontsize=7.6, weight="bold", linespacing=1.1,
        )  # fmt: skip


def _cell(
    axes: Axes, x: float, y: float, races: RaceFigures | None, every: Sequence[RaceFigures]
) -> None:
    if races is None or races.unsuited or not races.contested:
        text = "not measured" if races is None else "n/a" if races.unsuited else "none met"
        _note(axes, x, y, text)
        return
    share = races.harmed / races.contested
    colour, ink, hatch = KEPT, PLAIN, None
    text = f"0 of {races.contested:,}"
    if races.undecided:
        colour, text = NOTHING, "undecided"
    elif races.harmed:
        colour, ink = (HARMED, "#FFFFFF") if share >= HALF else (SOME, "#111111")
        text = f"{races.harmed:,} of {races.contested:,}"
    elif races.false_alarms:
        colour, text = ALARM, formats.count(races.false_alarms, "alarm")
    elif not controls(races, every):
        hatch = UNPROVEN
    axes.add_patch(
        Rectangle(
            (x - 0.47, y - 0.45), 0.94, 0.9, facecolor=colour, hatch=hatch,
            edgecolor=UNPROVEN_LINES if hatch else EDGE, linewidth=0.6, zorder=2,
        )
    )  # fmt: skip
    if len(text) > ONE_LINE:
        text = text.replace(" of ", "\nof ")
    axes.text(
        x, y, text, ha="center", va="center", fontsize=6.8, linespacing=0.95, color=ink, zorder=3
    )


def _note(axes: Axes, x: float, y: float, text: str) -> None:
    """Say why a cell has no figure."""
    axes.text(x, y, text, ha="center", va="center", fontsize=6.8, color=QUIET)


def _words(races: RaceFigures) -> str:
    amid = "" if races.mishap == "none" else f" amid {races.mishap}"
    return (
        f"{races.label}, {formats.CONTESTS[races.contest]}, {races.instances} instances{amid}:"
        f" {races.harmed:,} of {races.contested:,} contested races lost"
    )
