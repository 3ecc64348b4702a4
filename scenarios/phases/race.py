"""Several instances rotate one token at the same moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """`instances` processes rotate one token at the same moment, `rounds` times."""

    instances: int
    rounds: int

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.instances} instances racing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceRound:
    """One token, rotated by every instance at once."""

    outcomes: Sequence[str]
    """One an instance: an `Outcome`, or an exception's name."""
    contested: bool
    """Another call overlapped the winner's in time; otherwise nothing was tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """The observation of a `Race`."""

    phase: Race
    rounds: Sequence[RaceRound]
