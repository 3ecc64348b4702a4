"""How much: response times at offered rates, open loop, and the highest rate that is carried."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from backends.store import Capabilities, Policy
from scenarios.cost import Cost
from scenarios.latency import MIXES
from scenarios.phases.climb import Arrivals, Climb, Climbed, Step, Storms
from scenarios.phases.workload import Algorithm, Keys, Operation, Workload
from scenarios.scenario import (
    Case,
    Effort,
    Findings,
    Observation,
    Parameters,
    PositiveNumber,
    Scenario,
)

CASE = "open-loop"

Share = Annotated[float, Field(ge=0, le=1)]


class LoadParameters(Parameters, frozen=True):
    """Parameters of `load`."""

    connections: PositiveInt = 8
    """Each with a client of its own; what comes due while all are busy waits for one."""
    arrivals: Arrivals = "poisson"
    """poisson: independent users. fixed: evenly spaced."""
    shares: Annotated[tuple[PositiveNumber, ...], Field(min_length=1)] = (0.25, 0.5, 0.7, 0.9)
    """Rates offered, as shares of what a closed loop reached a moment before in the same trial."""
    rates: tuple[PositiveNumber, ...] = ()
    """Rates offered, in operations a second, in place of the shares."""
    seconds: PositiveNumber = 2.0
    """Of each step: one rate. Up to three times as long at a rate too low for a p99."""
    calibration_seconds: PositiveNumber = 1.0
    """Of the closed loop before the steps."""
    least_operations: PositiveInt = 1_000
    """Of each step, if that takes no more than three times `seconds`."""
    bound_ms: PositiveNumber = 20.0
    """Capacity is the highest rate whose p99 response keeps within it."""
    searches: NonNegativeInt = 5
    """Steps that narrow the capacity down, after those of the shares."""
    confirmations: PositiveInt = 2
    """Steps at the capacity that must all hold."""
    mix: dict[Operation, NonNegativeInt] = Field(default_factory=lambda: dict(MIXES["mixed"]))
    """Weight of each operation, verify apart: Keycloak's sizing example."""
    verify_per_rotate: NonNegativeInt = 0
    """Verifies for each rotation of the mix."""
    keys: Keys = "uniform"
    """Which session an operation picks."""
    sessions: PositiveInt = 1_000
    """Issued before the first step, shared out among the connections."""
    algorithm: Algorithm = "none"
    """With one, clients parse and mint JWTs; that is in the response, and not in the service."""
    devices: bool = True
    """Whether sessions are bound to a device that verify and rotate must show."""
    wrong_devices: Share = 0.0
    """Share of verifies and rotations that show another device and must be refused."""
    storm_share: Share = 0.0
    """Share of arrivals that are parallel tabs: several refreshes of one token at once."""
    storm_size: Annotated[int, Field(ge=2, le=16)] = 4
    """Refreshes in a storm, of which one must win."""
    lost_replies: Share = 0.0
    """Share of rotations whose reply is lost, so that the client shows the same token again."""
    grace_ms: NonNegativeInt = 0
    """How long the store forgives the immediate predecessor; 0 takes its reuse for theft."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not sum(self.mix.values()):
            raise ValueError("mix needs an operation with a weight above 0")
        if self.wrong_devices and not self.devices:
            raise ValueError("wrong_devices needs devices")
        return self


class StepFindings(Findings):
    """One rate, offered for a while."""

    purpose: Literal["ladder", "search", "confirm"]
    place: float
    """The share, or the rate, that a step of the ladder is at."""
    rate: float
    """Operations a second that were to be offered."""
    seconds: float
    offered: int
    """Equals the sum of the five that follow."""
    ok: int
    late: int
    failed: int
    dropped: int
    in_flight: int
    started: int
    """Operations that started before the time was up."""
    holds: bool
    """Whether the rate was carried."""
    errors: dict[str, int]
    response_ns: dict[str, dict[int, int]]
    """Histogram of each operation: intended start to answer."""
    service_ns: dict[int, int]
    lag_ns: dict[int, int]
    pacing_ns: dict[int, int]
    tokens_ns: dict[int, int]
    busy_ns: int
    elapsed_ns: int
    processes: int
    connections: int
    client_cpu_ns: int
    client_rss_bytes: int | None = None
    server_cpu_ns: int | None
    server_rss_bytes: int | None = None
    cost: Cost | None = None
    """Disk, fsyncs and network; like memory, None in records of before it was kept."""
    exhausted: bool

    @property
    def completed(self) -> int:
        """Operations answered as expected."""
        return self.ok + self.late


class LoadFindings(Findings):
    """What one trial of `load` found."""

    closed_rate: float
    """Operations a second of the closed loop."""
    steps: list[StepFindings]
    bound_ns: int
    capacity: float | None
    """The highest rate that was carried and confirmed; None: none was."""
    fails_at: float | None
    """The lowest rate above it that was not carried; None: every one tried was."""


def cases(parameters: LoadParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial climbs on a fresh server. A store that keeps no state has none to be loaded."""
    if not capabilities.detects_reuse:
        return []
    weights = {name: weight for name, weight in parameters.mix.items() if weight}
    if parameters.verify_per_rotate and "rotate" in weights:
        weights["verify"] = parameters.verify_per_rotate * weights["rotate"]
    if not capabilities.revokes:
        weights.pop("revoke", None)
    climb = Climb(
        workload=Workload(
            mix=weights,
            sessions=parameters.sessions,
            keys=parameters.keys,
            devices=parameters.devices,
            wrong_devices=parameters.wrong_devices,
            lost_replies=parameters.lost_replies,
            algorithm=parameters.algorithm,
        ),
        connections=parameters.connections,
        arrivals=parameters.arrivals,
        calibration_seconds=parameters.calibration_seconds,
        shares=parameters.shares,
        rates=parameters.rates,
        seconds=parameters.seconds,
        least_operations=parameters.least_operations,
        bound_ns=int(parameters.bound_ms * 1e6),
        searches=parameters.searches,
        confirmations=parameters.confirmations,
        storms=Storms(parameters.storm_share, parameters.storm_size),
    )
    policy = Policy(grace_ms=parameters.grace_ms)
    return [Case(name=CASE, phases=[climb], trials=parameters.trials, policy=policy)]


def judge(observations: Sequence[Observation]) -> LoadFindings:
    """Keep every step as it was measured."""
    [seen] = [one for one in observations if isinstance(one, Climbed)]
    return LoadFindings(
        closed_rate=seen.closed_rate,
        steps=[_step(step, seen.phase.bound_ns) for step in seen.steps],
        bound_ns=seen.phase.bound_ns,
        capacity=seen.capacity,
        fails_at=seen.fails_at,
    )


def _step(step: Step, bound_ns: int) -> StepFindings:
    tally = step.tally
    return StepFindings(
        purpose=step.purpose,
        place=step.place,
        rate=step.rate,
        seconds=step.seconds,
        offered=tally.offered,
        ok=tally.ok,
        late=tally.late,
        failed=tally.failed,
        dropped=tally.dropped,
        in_flight=tally.in_flight,
        started=step.started,
        holds=step.holds(bound_ns),
        errors=dict(step.errors),
        response_ns={name: dict(counts) for name, counts in step.response_ns.items()},
        service_ns=dict(step.service_ns),
        lag_ns=dict(step.lag_ns),
        pacing_ns=dict(step.pacing_ns),
        tokens_ns=dict(step.tokens_ns),
        busy_ns=step.busy_ns,
        elapsed_ns=step.elapsed_ns,
        processes=step.processes,
        connections=step.connections,
        client_cpu_ns=step.client_cpu_ns,
        client_rss_bytes=step.client_rss_bytes,
        server_cpu_ns=step.server_cpu_ns,
        server_rss_bytes=step.server_rss_bytes,
        cost=step.cost,
        exhausted=step.exhausted,
    )


SCENARIO = Scenario(
    name="load",
    title="Load and capacity",
    summary="response times at offered rates, open loop, and the highest rate that is carried",
    parameters=LoadParameters,
    presets={
        Effort.QUICK: LoadParameters(
            trials=2,
            shares=(0.25, 0.5, 0.8),
            seconds=0.15,
            calibration_seconds=0.1,
            least_operations=150,
            searches=2,
            confirmations=1,
        ),
        Effort.STANDARD: LoadParameters(trials=5),
        Effort.THOROUGH: LoadParameters(
            trials=10, seconds=5.0, calibration_seconds=2.0, searches=8, confirmations=3
        ),
    },
    cases=cases,
    judge=judge,
    findings=LoadFindings,
    control=True,
    default=False,
)
