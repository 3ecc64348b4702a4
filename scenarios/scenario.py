"""What a scenario is: phases to execute, as data, and a pure judgement of what came back.

A scenario never starts a server, spawns a process or reads a clock: `bench` executes each phase
and hands back its observation. One *trial* is one case of a scenario for one subject on a fresh
server; a *case* is the list of phases such a trial goes through.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt

from backends import Subject
from backends.store import Capabilities, Policy
from scenarios.history import Event

DEFAULT_POLICY = Policy()


class Effort(StrEnum):
    """How much time a run may take; each scenario says what that means for its parameters."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


class Phase(Protocol):
    """One step of a case, as data; `bench.phases` knows how each kind is executed."""

    disturbs: ClassVar[bool]
    """Whether it stops, kills or cuts off the server: a user's own is never put through that."""

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""


class Observation(Protocol):
    """What came back from one phase."""

    @property
    def phase(self) -> Any:
        """Give the phase that was executed."""


@runtime_checkable
class Remembers(Protocol):
    """An observation with a history, which is kept beside the trial's record."""

    @property
    def history(self) -> Sequence[Event]:
        """Every operation of the phase, in order of invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one trial goes through, on one fresh server."""

    name: str
    phases: Sequence[Phase]
    trials: int
    """How often it is repeated, each time on a fresh server."""
    policy: Policy = DEFAULT_POLICY
    """What the store is opened with."""


PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Findings(BaseModel, frozen=True, use_attribute_docstrings=True):
    """Base of what a judge finds; its docstrings go into the schema of the record."""


class Parameters(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """What `--set scenario.key=value` may change; one subclass a scenario.

    Types are as narrow as what makes sense: a wrong value is refused before any server starts.
    """

    trials: PositiveInt
    """How often each case is repeated, each time on a fresh server."""

    @property
    def most_trials(self) -> int:
        """How often a case may be repeated, where the first trials decide about more."""
        return self.trials


class AdaptiveParameters(Parameters, frozen=True, extra="forbid"):
    """Parameters of a scenario that goes on until its figures are known closely enough."""

    more_trials: NonNegativeInt = 0
    """Beyond `trials`, at most; each only while an interval is wider than `precision`."""
    precision: PositiveNumber = 0.05
    """Half the 95% interval, as a share of the median, that throughput and p50 are to reach."""
    budget_seconds: PositiveNumber = 3_600
    """Of all trials of the scenario together: once it is spent, no trial beyond `trials` begins."""

    @property
    def most_trials(self) -> int:
        """Give the trials that a case whose figures stay uncertain is repeated."""
        return self.trials + self.more_trials


class ZeroParameters(Parameters, frozen=True, extra="forbid"):
    """Parameters of a scenario in which finding nothing says the more, the more often it is so."""

    trials_at_zero: NonNegativeInt = 0
    """Trials of a case that has found nothing in its first `trials`; no more are taken unless this
    is larger."""

    @property
    def most_trials(self) -> int:
        """Give the trials that a case which finds nothing is repeated."""
        return max(self.trials, self.trials_at_zero)


@dataclass(frozen=True, slots=True)
class Companion:
    """Who is run beside the subjects of a scenario, as the positive control of what it finds."""

    spec: str
    """With its profile."""
    cases: Container[str] | None = None
    """The only ones it is needed for; None: all."""


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
    figures: Callable[[Any], Mapping[str, float]] | None = None
    """From the findings of one trial: the figures whose intervals `AdaptiveParameters` is about."""
    harm: Callable[[Any], int | None] | None = None
    """From the findings of one trial: how often it found what `ZeroParameters` is about."""
    control: bool = False
    """Whether one subject is run twice under two labels (A/A) to show the noise."""
    default: bool = True
    """Whether a run that names no scenario takes it."""
    brief: Mapping[str, Any] = field(default_factory=dict)
    """What of the quick preset is otherwise in a run that names no scenario, which has five minutes
    for everything."""
    companions: Callable[[Any, Sequence[Subject]], Sequence[Companion]] = lambda _asked, _by: ()
    """From the parameters and the subjects of a run: those run beside them in this scenario alone,
    as the positive control of what it may fail to find."""
    naive: bool = False
    """Whether naive ways of using a store, which are there to lose races, have a part in it."""
    subjects: Sequence[str] = ()
    """What a run takes for it that names no subjects, in place of the usual ones. They have a
    topology, and so must those that are named: it is about several servers."""
