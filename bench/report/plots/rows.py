"""Rows of subjects under the headings of their durability classes, shared by several plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from backends.store import Durability
from bench.record import SubjectFacts
from bench.report.plots.canvas import SHADES
from bench.report.plots.palette import Look
from bench.report.plots.scene import CLASS_TITLES

ROW = 0.235
"""Inches."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where each subject stands: 0 at the top, one unit a row, one for each heading."""

    at: Mapping[str, float]
    headings: Sequence[tuple[str, float]]
    height: float

    @property
    def inches(self) -> float:
        """Height of axes that give every row its room."""
        return self.height * ROW + 0.55


def place(groups: Sequence[tuple[Durability, Sequence[SubjectFacts]]]) -> Rows:
    """Give each class a heading and each of its subjects a row, in the order given."""
    at: dict[str, float] = {}
    headings = []
    y = 0.0
    for durability, members in groups:
        headings.append((CLASS_TITLES[durability], y))
        for subject in members:
            y += 1
            at[subject.label] = y
        y += 1
    return Rows(at, headings, y)


def below(rows: Rows, heading: str, members: Sequence[SubjectFacts]) -> Rows:
    """Put one more group under the classes; nothing where it has no members."""
    if not members:
        return rows
    at = {subject.label: rows.height + number for number, subject in enumerate(members, 1)}
    headings = [*rows.headings, (heading, rows.height)]
    return Rows({**rows.at, **at}, headings, rows.height + len(members) + 1)


def paint(axes: Axes, rows: Rows, looks: Mapping[str, Look] | None = None) -> None:
    """Shade the classes and name the rows; only shade without `looks`."""
    axes.set_ylim(rows.height - 0.4, -0.55)
    ends = [top for _, top in rows.headings[1:]] + [rows.height]
    for number, ((title, top), end) in enumerate(zip(rows.headings, ends, strict=True)):
        axes.axhspan(top - 0.5, end - 0.5, color=SHADES[number % 2], zorder=0, linewidth=0)
        axes.axhline(top - 0.5, color="#BBBBBB", linewidth=0.7, zorder=1)
        if looks is not None:
            axes.text(
                0.008, top, title, transform=axes.get_yaxis_transform(), va="center",
                fontsize=8, style="italic", color="#333333", zorder=5,
            )  # fmt: skip
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if looks is None:
        axes.set_yticks([])
        return
    axes.set_yticks([*rows.at.values()], [looks[label].name for label in rows.at])


def write(axes: Axes, rows: Rows, heading: str, words: Mapping[str, tuple[str, str]]) -> None:
    """Fill frameless axes with one text a row: label -> (text, colour)."""
    axes.axis("off")
    axes.set_xlim(0, 1)
    axes.set_title(heading, fontsize=8, weight="bold")
    axes.set_ylim(rows.height - 0.4, -0.55)
    for label, (text, colour) in words.items():
        axes.text(0, rows.at[label], text, va="center", fontsize=7.6, color=colour)
