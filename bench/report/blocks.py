"""What a report is made of: sections of prose, tables and pictures, as data without markup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.analysis import Summary
from bench.record import Run

WORDY = 18
"""Characters; a figure with its unit is shorter."""

Tone = Literal["", "best", "limited", "bad", "none"]
"""How a cell is set off: best in its class, not the store's limit, a harm, no figure."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the figure, and what must be known of it."""

    text: str
    number: float | None = None
    """The figure unrounded, in the column's unit, for CSV."""
    detail: str = ""
    """Small print right below: an interval, a share."""
    marks: Sequence[str] = ()
    """Short flags: "tie", "generator-limited", ..."""
    tone: Tone = ""
    notes: Sequence[str] = ()
    """Footnotes."""
    source: str = ""
    """Where the figure comes from: the trials."""

    @property
    def wordy(self) -> bool:
        """Whether it is read as a sentence rather than compared down a column."""
        return self.number is None and len(self.text) > WORDY


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; every figure in it has this unit."""

    title: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """Title and unit on one line."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True, slots=True)
class Row:
    """A row's heading and its cells, one a column."""

    heading: str
    cells: Sequence[Cell]
    colour: str | None = None
    """The store's colour in the pictures."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that may be compared with one another."""

    heading: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption; `corner` heads the rows' headings."""

    name: str
    caption: str
    corner: str
    columns: Sequence[Column]
    groups: Sequence[Group]
    legend: Sequence[str] = ()
    """Printed below, before the footnotes."""
    folded: bool = False
    """Too long to be in the way of whoever reads on."""

    @property
    def wordy(self) -> Sequence[bool]:
        """For each column, whether it is read as text: one sentence in it sets all of it so."""
        rows = [row.cells for group in self.groups for row in group.rows]
        return [any(cells[n].wordy for cells in rows) for n in range(len(self.columns))]

    @property
    def notes(self) -> Mapping[str, int]:
        """Every footnote -> its number, in the order of appearance."""
        every = (
            note
            for group in self.groups
            for row in group.rows
            for cell in row.cells
            for note in cell.notes
        )
        return {note: number for number, note in enumerate(dict.fromkeys(every), 1)}


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs, or a list where `bullets`."""

    paragraphs: Sequence[str]
    bullets: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """Paragraphs that each begin with what they are about."""

    heading: str
    points: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot: `plots/<name>.svg` and `.png`."""

    name: str
    caption: str
    alt: str
    width: int
    height: int
    """In CSS pixels."""


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be typed or read as it is."""

    text: str
    caption: str


Block = Table | Prose | Points | Picture | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under a heading of its own."""

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What sections are made from: the records in figures, and the pictures drawn from them."""

    run: Run
    summary: Summary
    record: str
    """Where the record is, seen from the report."""
    names: Mapping[str, str]
    """Label -> what it is called in tables and pictures."""
    colours: Mapping[str, str]
    pictures: Mapping[str, Picture] = field(default_factory=dict)

    def drawn(self, *names: str) -> Sequence[Picture]:
        """Give those of the named pictures that there were figures for."""
        return [self.pictures[name] for name in names if name in self.pictures]


SectionMaker = Callable[[Material], Section | None]
"""Makes one section; None where the run has nothing for it."""
