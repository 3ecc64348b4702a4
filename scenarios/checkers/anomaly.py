"""What a checker finds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """Something in a history that no right store does."""

    family: str
    ops: Sequence[int]
    """The operations that show it."""
    says: str
    """What they show, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one checker says of one history: anomalies, none, or that it can't tell."""

    anomalies: Sequence[Anomaly] = ()
    undecided: str = ""
    """Why it can't tell; empty where it can. Never to be counted as innocence."""
