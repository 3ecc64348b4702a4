"""What a store declares: what it can be relied on for, and what not, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class No:
    """A capability that a store lacks, and why."""

    reason: str

    def __bool__(self) -> Literal[False]:
        return False


@dataclass(frozen=True, slots=True)
class Bound:
    """The most sessions that a store is meant to hold, and why."""

    sessions: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a store may be relied on for: True, or `No` with the reason."""

    survives_restart: Literal[True] | No = True
    """Every acknowledged write is there after a graceful restart."""
    survives_crash: Literal[True] | No = True
    """... after SIGKILL of the process that holds the data."""
    survives_power_cut: Literal[True] | No = True
    """... after the machine loses power."""
    shared_by_processes: Literal[True] | No = True
    shared_by_hosts: Literal[True] | No = True
    revokes: Literal[True] | No = True
    detects_reuse: Literal[True] | No = True
    native_ttl: Literal[True] | No = True
    """The store reclaims expired sessions without the application's help."""
    lists_sessions: Literal[True] | No = True
    sends_once: Literal[True] | No = True
    """A call whose answer was lost isn't sent again, or the store knows it again."""
    bound: Bound | None = None
    """None where the machine alone is the bound."""

    def lacking(self) -> Mapping[str, str]:
        """Name of each missing capability -> the declared reason."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value.reason for name, value in values.items() if isinstance(value, No)}


class Durability(StrEnum):
    """The strongest event through which a store keeps every acknowledged write.

    Stores are ranked inside one class, never across: a faster store that loses more isn't better.
    """

    CLIENT = "held by the client"
    NONE = "nothing"
    RESTART = "restart"
    CRASH = "crash"
    POWER_CUT = "power cut"
