"""Bars of a part in its whole, each with its words below: a row a subject, a column a question."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.plots import canvas
from bench.report.plots.palette import (
    HARMED,
    KEPT,
    PLAIN,
    QUIET,
    UNPROVEN,
    UNPROVEN_LINES,
)

ROW = 0.46
"""Inches: a bar, and a line of text."""
_BAR, _BAR_AT, _WORDS_AT = 0.34, -0.17, 0.19
_HALF = 0.5
"""Above it, the words inside stand on the part, else beside it."""
_WIDE = 6
"""Columns up to which a heading has room in the usual size."""


def sheet(names: Sequence[str], heads: Sequence[str], unit: str) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure with axes a head, side by side, and the names on the first; y is the row."""
    lines = max(head.count("\n") for head in heads) + 1
    figure = canvas.sheet(len(names) * ROW + 0.55 + 0.15 * lines)
    columns = figure.subplots(1, len(heads), squeeze=False)[0]
    for number, (axes, head) in enumerate(zip(columns, heads, strict=True)):
        axes.set_ylim(len(names) - 0.45, -0.55)
        axes.set_xlim(0, 100)
        axes.set_xlabel(unit)
        axes.set_title(head, weight="bold", fontsize=8.5 if len(heads) <= _WIDE else 7.4)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set_yticks([*range(len(names))], names) if number == 0 else axes.set_yticks([])
    return figure, columns


def bar(
    axes: Axes,
    y: float,
    share: float,
    words: str,
    *,
    bad: bool,
    inside: str = "",
    unproven: bool = False,
) -> None:
    """Draw the part of 1 that is harmed, in the whole, its words below and a few inside.

    `unproven` hatches a whole of which a harm could not have been seen.
    """
    axes.barh(
        y + _BAR_AT, 100, height=_BAR, color=KEPT, linewidth=0,
        hatch=UNPROVEN if unproven else None, edgecolor=UNPROVEN_LINES,
    )  # fmt: skip
    axes.barh(y + _BAR_AT, 100 * share, height=_BAR, color=HARMED, linewidth=0)
    colour = HARMED if bad else PLAIN
    on_part = share > _HALF
    axes.text(
        100 * share + (-2 if on_part else 2), y + _BAR_AT, inside, va="center", fontsize=7.2,
        ha="right" if on_part else "left", color="#FFFFFF" if on_part else PLAIN,
    )  # fmt: skip
    axes.text(0.6, y + _WORDS_AT, words, va="center", fontsize=7.2, color=colour)


def note(axes: Axes, y: float, words: str, *, bad: bool = False) -> None:
    """Say in place of a bar why there is none."""
    axes.text(1, y, words, va="center", fontsize=7.2, color=HARMED if bad else QUIET)
