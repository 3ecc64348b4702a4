"""What a scenario is: phases to execute, as data, and a pure judgement of what came back.

A scenario never starts a server, spawns a process or reads a clock: `bench` executes each phase
and hands back its observation. One *trial* is one case of a scenario for one subject on a fresh
server; a *case* is the list of phases such a trial goes through.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, PositiveInt

from backends.store import Capabilities
from scenarios.history import Event, State


class Effort(StrEnum):
    """How much time a run may take; each scenario says what that means for its parameters."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Closed loop: `connections` clients with a connection each, as fast as they are answered."""

    name: str
    workload: Workload
    connections: int
    seconds: float
    warmup_seconds: float = 0.1
    most_calls: int = 400_000
    """It ends early once so many calls were made: they are prepared beforehand, in memory."""

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.name}, {self.connections} connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturb:
    """Live load with its history kept, a fault in the middle, then a look at what is left."""

    fault: Literal["restart", "crash"]
    workload: Workload
    instances: int
    """Worker processes; a store that processes can't share gets one."""
    connections: int
    seconds: float
    """Load before the fault; a client stops at its first operation that isn't answered."""
    rate: float
    """Operations offered a second, over all connections: bounds the history, not the store."""

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"load, then {self.fault}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """One instance issues, rotates and revokes, and every other looks at once."""

    instances: int
    rounds: int

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.instances} instances looking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """`instances` processes rotate one token at the same moment, `rounds` times."""

    instances: int
    rounds: int

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        return f"{self.instances} instances racing"


Phase = Measure | Disturb | Observe | Race


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What became of one operation in a `Measure`."""

    latency_ns: Mapping[int, int]
    """Histogram of the calls that ended as expected: bucket -> count (`scenarios.histogram`)."""
    minimum_ns: int
    maximum_ns: int
    errors: Mapping[str, int] = field(default_factory=dict)
    """Kind (an exception's name, or the unexpected outcome) -> count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The observation of a `Measure`."""

    phase: Measure
    samples: Mapping[Operation, Samples]
    elapsed_ns: int
    """From the first client's start to the last one's end."""
    processes: int
    """Worker processes that the connections were shared out among."""
    client_cpu_ns: int
    """Of all workers, while measuring."""
    client_rss_bytes: int
    server_cpu_ns: int | None
    """Of the server and its descendants; None where there is none, or it isn't ours to look at."""
    server_rss_bytes: int | None
    exhausted: bool = False
    """A client came to `most_calls` before the time was up; the rate is that of `elapsed_ns`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """The observation of a `Disturb`."""

    phase: Disturb
    history: Sequence[Event]
    fault_at_ns: int
    """CLOCK_MONOTONIC when the fault was put to it, as in the history."""
    back_at_ns: int
    """When a first operation was answered again."""
    recovered: Mapping[str, State | None]
    """Family id -> what the store says of it afterwards; None: it knows no such family."""
    integrity: str | None
    """What the store's own check found wrong (PostgreSQL amcheck, SQLite integrity_check, ...)."""


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


Observation = Measured | Disturbed | Observed | Raced


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one trial goes through, on one fresh server."""

    name: str
    phases: Sequence[Phase]
    trials: int
    """How often it is repeated, each time on a fresh server."""


PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Findings(BaseModel, frozen=True, use_attribute_docstrings=True):
    """Base of what a judge finds; its docstrings go into the schema of the record."""


class Parameters(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """What `--set scenario.key=value` may change; one subclass a scenario.

    Types are as narrow as what makes sense: a wrong value is refused before any server starts.
    """

    trials: PositiveInt
    """How often each case is repeated, each time on a fresh server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A question put to every store."""

    name: str
    title: str
    summary: str
    parameters: type[Parameters]
    presets: Mapping[Effort, Parameters]
    cases: Callable[[Any, Capabilities], Sequence[Case]]
    """From the parameters and what the subject declares; data only."""
    judge: Callable[[Sequence[Observation]], Findings]
    """Pure: the findings of one trial."""
    findings: type[Findings]
    control: bool = False
    """Whether one subject is run twice under two labels (A/A) to show the noise."""
