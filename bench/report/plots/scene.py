"""What a plot is drawn from, and what comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from backends.store import Durability
from bench.analysis import Summary
from bench.record import SubjectFacts
from bench.report.plots.palette import Look

CLASS_TITLES = {
    Durability.POWER_CUT: "declared to survive a power cut",
    Durability.CRASH: "declared to survive a crash",
    Durability.RESTART: "declared to survive a restart",
    Durability.NONE: "declared to keep nothing",
    Durability.CLIENT: "held by the client",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """The figures, the looks of the subjects, and the line that says under what conditions."""

    summary: Summary
    looks: Mapping[str, Look]
    conditions: str

    def stores(self) -> Sequence[tuple[Durability, Sequence[SubjectFacts]]]:
        """Give the classes of the subjects that have a store of their own to be timed."""
        return [(d, members) for d, members in self.summary.by_class() if d != Durability.CLIENT]

    def left_out(self) -> Sequence[str]:
        """Say why subjects whose state the client holds aren't drawn."""
        held = [
            self.looks[subject.label].name
            for durability, members in self.summary.by_class()
            if durability == Durability.CLIENT
            for subject in members
        ]
        return [f"Not drawn, since the client holds the state: {', '.join(held)}."] if held else []


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished drawing, and its words for the page."""

    figure: Figure
    caption: str
    alt: str


Draw = Callable[[Scene], Plot | None]
"""Draws one plot; None where the run has no figures for it."""
