"""Closed loop over the sessions that were loaded last, each as likely as any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from scenarios.cost import Cost
from scenarios.phases.measure import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Closed loop by the clients of the last `Fill`, each over its share of the new sessions.

    None is met again before all others were.
    """

    operation: Literal["verify", "rotate"]
    seconds: float
    warmup_seconds: float
    most_calls: int

    disturbs: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.operation} among them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """The observation of a `Visit`."""

    phase: Visit
    samples: Mapping[str, Samples]
    """Of the one operation; empty where the fill added nothing."""
    elapsed_ns: int
    processes: int
    client_cpu_ns: int
    server_cpu_ns: int | None
    cost: Cost
    exhausted: bool = False
    """Whether some client had made all its calls before the time was up."""
