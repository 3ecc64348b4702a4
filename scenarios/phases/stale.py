"""A logout at the primary, watched through a replica."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scenarios.phases.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """One instance revokes at the primary, another verifies the same token through a replica."""

    rounds: int
    workload: Workload
    """What others ask of the primary meanwhile."""
    connections: int
    rate: float
    """Operations a second that they offer."""

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return "revocations seen through a replica"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One revocation."""

    accepted_ns: int
    """From its acknowledgement to the beginning of the last verify that still accepted the token;
    0 where none did."""
    gap_ns: int
    """Between the beginnings of that verify, or the acknowledgement, and of the one that refused:
    the truth is at most so much more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The observation of a `Stale`."""

    phase: Stale
    watched: Sequence[Watched]
    unacknowledged: int
    """Revocations whose answer did not come, or that were refused."""
    never: int
    """Revocations that the replica did not show while it was watched."""
