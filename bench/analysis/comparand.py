"""What is held against others of its kind: in one run by rank, between two by `compare`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from bench.analysis.estimate import Estimate
from bench.analysis.latency import Key, Metric


class Comparand(Protocol):
    """What one subject did in one run, with the figures that it is held against others by."""

    scenario: ClassVar[str]
    metrics: ClassVar[Sequence[Metric]]

    @property
    def label(self) -> str:
        """Whose figures these are."""

    @property
    def key(self) -> Key:
        """What was done, and with how many connections: like is compared with like."""

    @property
    def trials(self) -> Sequence[str]:
        """Ids of the trials, in the order of each figure's own."""

    @property
    def ranked(self) -> bool:
        """Whether its figures are the store's."""

    @property
    def why(self) -> Mapping[Any, str]:
        """Why not."""

    @property
    def at_least(self) -> bool:
        """Whether the figures may be higher than they say."""

    def metric(self, name: Metric) -> Estimate | None:
        """Give one of `metrics`; None where a trial is too small to have it."""
