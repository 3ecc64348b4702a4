"""One colour a store, everywhere, told apart by people who see red and green alike.

The colours are Okabe and Ito's, with olive for their yellow, which white paper swallows. A
backend's profiles share its hue; marker, line and lightness tell them apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.colors import LinearSegmentedColormap, rgb_to_hsv, to_hex, to_rgb
from matplotlib.patches import Patch
from matplotlib.typing import ColorType

from bench.record import SubjectFacts

COLOURS = {
    "redis": "#D55E00",
    "postgres": "#0072B2",
    "postgres-sqlalchemy": "#56B4E9",
    "mongo": "#009E73",
    "sqlite": "#E69F00",
    "files": "#8F8A1D",
    "memory": "#CC79A7",
    "cookie": "#555555",
    "redis-py": "#E9A27A",
    "postgres-psycopg": "#7D9BD1",
    "mongo-pymongo": "#66C2A5",
}
OTHERS = ("#332288", "#882255", "#44AA99", "#663300", "#AA4499", "#117733")
"""For stores of third parties, in the order of the run."""

KEPT, SOME, HARMED = "#C6D8E6", "#F08A70", "#B2182B"
"""No harm, some, and much, in cells and bars: blue against red, and of other lightness."""
HARM = LinearSegmentedColormap.from_list("harm", ["#FBD9B5", SOME, HARMED])
"""From a little harm to nothing but."""
UNPROVEN, UNPROVEN_LINES, EDGE = "////", "#8FA6B8", "#999999"
"""Hatch over `KEPT`, and its colour: no harm, but nobody came to any, so it proves nothing."""
QUIET, PLAIN = "#777777", "#222222"
"""Of words about what is missing, and of all others; those about a harm have its colour."""

MARKERS = ("o", "s", "^", "D", "v", "P")
Line = Literal["-"] | tuple[float, Sequence[float]]
LINES: Sequence[Line] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
LIGHTER = (0.0, 0.22, 0.4, 0.5)
NEAR = 0.12
"""Of the circle of hues: two that are less apart need another dash."""


def patch(label: str, colour: ColorType, hatch: str | None = None) -> Patch:
    """Give a legend's swatch of a cell or bar."""
    edge = UNPROVEN_LINES if hatch else EDGE
    return Patch(facecolor=colour, edgecolor=edge, hatch=hatch, linewidth=0.6, label=label)


@dataclass(frozen=True, slots=True)
class Look:
    """How a subject is drawn."""

    name: str
    colour: str
    marker: str
    line: Line


def colours(subjects: Sequence[SubjectFacts]) -> Mapping[str, str]:
    """Give backend -> colour."""
    named = dict.fromkeys(subject.backend for subject in subjects)
    # The naive way of using a store is of that store's colour.
    naive = {s.backend: COLOURS.get(s.backend.removesuffix("-naive")) for s in subjects if s.naive}
    known = {**COLOURS, **{name: colour for name, colour in naive.items() if colour}}
    strangers = [name for name in named if name not in known]
    return {**known, **{name: OTHERS[n % len(OTHERS)] for n, name in enumerate(strangers)}}


def looks(subjects: Sequence[SubjectFacts], names: Mapping[str, str]) -> Mapping[str, Look]:
    """Give label -> look; marker and line tell apart what is of one hue in one class."""
    known = colours(subjects)
    shapes: dict[str, int] = {}
    found: dict[str, Look] = {}
    for number, subject in enumerate(subjects):
        before = subjects[:number]
        own = [shapes[one.label] for one in before if one.backend == subject.backend]
        near = [
            shapes[one.label]
            for one in before
            if one.durability == subject.durability
            and _near(known[one.backend], known[subject.backend])
        ]
        shape = _shape(own, near)
        shapes[subject.label] = shape
        found[subject.label] = Look(
            names[subject.label],
            _lighter(known[subject.backend], LIGHTER[len(own) % len(LIGHTER)]),
            MARKERS[shape],
            LINES[shape % len(LINES)],
        )
    return found


def _shape(own: Sequence[int], near: Sequence[int]) -> int:
    """Choose a marker and line that no sibling has, nor who is drawn beside in a like colour."""

    def taken(shape: int) -> tuple[bool, bool, bool, int]:
        line = shape % len(LINES)
        return (
            line in {one % len(LINES) for one in near},
            shape in own,
            line in {one % len(LINES) for one in own},
            (shape - len(own)) % len(MARKERS),
        )

    return min(range(len(MARKERS)), key=taken)


def _near(one: str, other: str) -> bool:
    """Tell whether two colours are of about one hue."""
    (hue, *_), (beside, *_) = (rgb_to_hsv(to_rgb(colour)) for colour in (one, other))
    apart = abs(hue - beside)
    return bool(min(apart, 1 - apart) < NEAR)


def _lighter(colour: str, by: float) -> str:
    red, green, blue = (part + (1 - part) * by for part in to_rgb(colour))
    return to_hex((red, green, blue))
