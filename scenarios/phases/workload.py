"""What clients ask a store for: which operations, on which of how many sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Operation = Literal["issue", "verify", "rotate", "revoke"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the clients ask for: weights of the operations, over how many live sessions."""

    mix: Mapping[Operation, int]
    """Weight of each operation."""
    sessions: int = 1_000
    """Sessions issued before the first phase, shared out among the connections."""
    keys: Literal["uniform", "zipf", "latest"] = "uniform"
    """Which session an operation picks."""
