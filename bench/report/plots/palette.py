"""One colour a store, everywhere, told apart by people who see red and green alike.

The colours are Okabe and Ito's, with olive for their yellow, which white paper swallows. A
backend's profiles share its hue; marker, line and lightness tell them apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.colors import to_hex, to_rgb

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

HARMED, WHOLE, QUIET, PLAIN = "#B3000C", "#B9C4CE", "#777777", "#222222"
"""Of harms and what they are a part of; of words about what is missing, and of all others."""

MARKERS = ("o", "s", "^", "D", "v", "P")
Line = Literal["-"] | tuple[float, Sequence[float]]
LINES: Sequence[Line] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
LIGHTER = (0.0, 0.22, 0.4, 0.5)


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
    """Give label -> look; a backend's profiles in the order of the run."""
    known = colours(subjects)
    profiles: dict[str, int] = {}
    found: dict[str, Look] = {}
    for subject in subjects:
        number = profiles.get(subject.backend, 0)
        found[subject.label] = Look(
            names[subject.label],
            _lighter(known[subject.backend], LIGHTER[number % len(LIGHTER)]),
            MARKERS[number % len(MARKERS)],
            LINES[number % len(LINES)],
        )
        profiles[subject.backend] = number + 1
    return found


def _lighter(colour: str, by: float) -> str:
    red, green, blue = (part + (1 - part) * by for part in to_rgb(colour))
    return to_hex((red, green, blue))
