"""What clients ask a store for: which operations, on which of how many sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Operation = Literal["issue", "verify", "rotate", "revoke"]
Keys = Literal["uniform", "zipf", "latest"]
Algorithm = Literal["none", "HS256", "ES256", "EdDSA", "RS256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the clients ask for: weights of the operations, over how many live sessions."""

    mix: Mapping[Operation, int]
    """Weight of each operation."""
    sessions: int = 1_000
    """Sessions issued before the first phase, shared out among the connections."""
    keys: Keys = "uniform"
    """Which session an operation picks."""
    devices: bool = True
    """Whether a session is bound to a device, which every verify and rotate must show."""
    wrong_devices: float = 0.0
    """Share of verifies and rotations that show another device, and are to be refused."""
    lost_replies: float = 0.0
    """Share of rotations whose answer never reaches the client: it shows the same token again."""
    algorithm: Algorithm = "none"
    """Clients parse a token before each call and mint one after, as JWTs of this algorithm. An open
    loop tells that work from the store's service time; a closed one has it in its latency."""
