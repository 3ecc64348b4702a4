"""One instance acts, and every other looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """One instance issues, rotates and revokes, and every other looks at once."""

    instances: int
    rounds: int

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.instances} instances looking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one other instance saw right after an act was acknowledged."""

    act: Literal["issue", "rotate", "revoke"]
    seen: bool
    delay_ns: int
    """From the acknowledgement to the look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The observation of an `Observe`."""

    phase: Observe
    sightings: Sequence[Sighting]
    errors: Mapping[str, int]
