"""How long a token that was revoked is still accepted by who reads from a replica."""

from collections.abc import Sequence

from pydantic import PositiveInt

from backends.store import Capabilities
from scenarios.phases.stale import Stale, Watching
from scenarios.phases.workload import Workload
from scenarios.scenario import (
    Case,
    Effort,
    Findings,
    Observation,
    Parameters,
    PositiveNumber,
    Scenario,
)


class StalenessParameters(Parameters, frozen=True):
    """Parameters of `staleness`."""

    revocations: PositiveInt = 200
    """Each watched through a replica."""
    rate: PositiveNumber = 200.0
    """Operations a second that the primary is kept at work with."""
    connections: PositiveInt = 4
    """That offer them."""


class StalenessFindings(Findings):
    """What one trial saw through a replica."""

    accepted_ns: list[int]
    """For each acknowledged revocation, for how long after it the token was still accepted."""
    largest_gap_ns: int
    """The longest between two looks: the truth may be so much more."""
    unacknowledged: int
    never: int
    """Revocations that the replica never showed."""


def cases(parameters: StalenessParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial is many revocations, one after another."""
    if not capabilities.revokes:
        return []
    stale = Stale(
        rounds=parameters.revocations,
        workload=Workload(mix={"issue": 20, "rotate": 80}, sessions=40),
        connections=parameters.connections,
        rate=parameters.rate,
    )
    return [Case(name="replica-reads", phases=[stale], trials=parameters.trials)]


def judge(observations: Sequence[Observation]) -> StalenessFindings:
    """List how long each token was still accepted."""
    [seen] = [one for one in observations if isinstance(one, Watching)]
    return StalenessFindings(
        accepted_ns=[one.accepted_ns for one in seen.watched],
        largest_gap_ns=max((one.gap_ns for one in seen.watched), default=0),
        unacknowledged=seen.unacknowledged,
        never=seen.never,
    )


SCENARIO = Scenario(
    name="staleness",
    title="Revoked, and still accepted by a replica",
    summary="logouts at the primary, watched by an instance that reads from a replica",
    parameters=StalenessParameters,
    presets={
        Effort.QUICK: StalenessParameters(trials=1, revocations=200),
        Effort.STANDARD: StalenessParameters(trials=5, revocations=500),
        Effort.THOROUGH: StalenessParameters(trials=10, revocations=2_000),
    },
    cases=cases,
    judge=judge,
    findings=StalenessFindings,
    default=False,
    subjects=(
        "redis:aof-everysec@sentinel",
        "redis:aof-everysec@sentinel-wait1",
        "postgres:sync@replica",
        "postgres:sync@replica-on",
        "postgres:sync@replica-apply",
        "mongo:w1@rs3",
        "mongo:majority@rs3",
    ),
)
