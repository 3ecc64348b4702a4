"""What a failover costs: the primary is cut off or killed under load, and another takes over.

Clients stand on both sides. What the old primary goes on acknowledging to those with it is lost
when the sides meet again, unless the topology's settings keep it from acknowledging. And a token
that both sides accept has been spent twice: two holders of one session.
"""

from collections.abc import Sequence

from pydantic import Field, NonNegativeInt, PositiveInt

from backends.store import Capabilities
from scenarios.checkers import judgement
from scenarios.checkers.lineage import families
from scenarios.checkers.losses import weigh
from scenarios.history import Event
from scenarios.outage import outage
from scenarios.phases.failover import MAJORITY, FailedOver, Failover, Strike
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

THROUGH_SECONDS = 3.0
"""A fault at least so long is to be lived through by a failover; a shorter one may end before."""


class FailoverParameters(Parameters, frozen=True):
    """Parameters of `failover`."""

    partitions: tuple[PositiveNumber, ...] = (4.0,)
    """Lengths of the partition, seconds; from 3 s on it lasts until another primary is there."""
    kills: tuple[PositiveNumber, ...] = (4.0,)
    """How long the killed primary is down, seconds."""
    before_seconds: PositiveNumber = 1.0
    """Load before the fault, at the longest: the moment is drawn from its second half."""
    rate: PositiveNumber = 300.0
    """Operations offered a second, by each of the two app instances."""
    connections: PositiveInt = 4
    """Of each instance."""
    sessions: PositiveInt = 80
    """Issued before the load, by each instance."""
    shared: NonNegativeInt = 40
    """Sessions whose token is shown once on each side while the fault lasts."""


class FailoverFindings(Findings):
    """What one fault did to one topology."""

    strike: str
    means: str
    """What was done: "pause" where a partition was asked for and hosts can't be cut off."""
    why_no_cut: str | None
    seconds: float
    """As asked for."""
    lasted_ns: int
    """From the fault until it was healed."""
    took_over: bool
    """Whether another primary was there by then: it was seen, or served the majority's side, some
    call of which had failed."""
    acknowledged: int
    """Writes acknowledged by anyone, from the beginning to the heal."""
    acknowledged_by_old: int
    """... to clients on the old primary's side, after the fault."""
    lost_writes: int
    """Acknowledged writes whose effect is gone when all members agree again."""
    lost_sessions: int
    """Acknowledged sessions that are unknown then."""
    resurrected_rotated: int
    """Live sessions back at an older generation: a token that was rotated away is good again."""
    resurrected_revoked: int
    """Acknowledged revocations that are undone."""
    phantoms: int
    """States that no operation wrote."""
    shown_on_both_sides: int
    """Tokens of the shared sessions that were answered on both sides while the fault lasted."""
    double_spends: int
    """Tokens that were rotated more than once, successfully."""
    anomalies: dict[str, int] = Field(default_factory=dict)
    """Checker -> families in which what clients were answered contradicts itself."""
    undecided: dict[str, str] = Field(default_factory=dict)
    """Checker -> why it could not tell. Never a pass; of "losses", the counts of acknowledged and
    lost writes, lost sessions, resurrected tokens and phantoms say nothing then."""
    orders: dict[str, int] = Field(default_factory=dict)
    """How the search for an order of a family's calls ended -> families; none in records of before
    it was made."""
    disagreements: int = 0
    """Families on which the search and the checkers say otherwise: a fault of this suite."""
    struck_ns: int | None = None
    """When the fault struck, on the clock of the history. None, as the two that follow, in records
    of before."""
    outage_ns: int | None = None
    """From the fault until the majority's side was served again: to the first of the writes
    acknowledged to it within half a second, half as many as in the half second before the fault
    and at most half of what was offered, while no call of it failed or took longer than that."""
    outage_over: bool | None = None
    """Whether it was served again before the heal; if not, `outage_ns` is how long the fault
    lasted, and the outage was longer."""
    settled_ns: int
    """From the heal until all members followed one primary."""
    refused: int
    """Operations that are known not to have been executed."""
    unanswered: int
    integrity: str | None


def cases(parameters: FailoverParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial is one fault."""
    revoke = 1 if capabilities.revokes else 0
    workload = Workload(
        mix={"issue": 20, "rotate": 70, "revoke": 10 * revoke}, sessions=parameters.sessions
    )
    asked: list[tuple[Strike, float]] = [
        *(("partition", seconds) for seconds in parameters.partitions),
        *(("kill", seconds) for seconds in parameters.kills),
    ]
    return [
        Case(
            name=f"{strike}-{seconds:g}s",
            phases=[
                Failover(
                    strike=strike,
                    workload=workload,
                    connections=parameters.connections,
                    before_seconds=parameters.before_seconds,
                    seconds=seconds,
                    through_failover=seconds >= THROUGH_SECONDS,
                    rate=parameters.rate,
                    shared=parameters.shared,
                )
            ],
            trials=parameters.trials,
        )
        for strike, seconds in asked
    ]


def judge(observations: Sequence[Observation]) -> FailoverFindings:
    """Compare what was acknowledged on either side with what is left when they have met again."""
    [seen] = [one for one in observations if isinstance(one, FailedOver)]
    writes = [event for event in seen.history if event.kind != "verify"]
    losses = weigh(writes, seen.recovered, seen.struck_ns)
    after = [event for event in writes if event.status == "ok" and event.invoke_ns > seen.struck_ns]
    found = judgement.judge(seen.history, families(seen.history))
    majority = [event for event in seen.history if event.instance == MAJORITY]
    out = outage(majority, seen.struck_ns, seen.healed_ns, seen.phase.rate)
    served_ns = seen.struck_ns + out.ns
    failed = any(e.status != "ok" and seen.struck_ns < e.invoke_ns < served_ns for e in majority)
    return FailoverFindings(
        strike=seen.phase.strike,
        means=seen.means,
        why_no_cut=seen.why_no_cut,
        seconds=seen.phase.seconds,
        lasted_ns=seen.healed_ns - seen.struck_ns,
        # Before the heal only another primary can serve those who asked in vain.
        took_over=seen.took_over or (failed and out.over),
        acknowledged=sum(losses.acknowledged.values()),
        acknowledged_by_old=sum(event.instance != MAJORITY for event in after),
        lost_writes=len(losses.lost),
        lost_sessions=losses.lost_sessions,
        resurrected_rotated=losses.resurrected_rotated,
        resurrected_revoked=losses.resurrected_revoked,
        phantoms=losses.phantoms,
        shown_on_both_sides=_on_both_sides(after),
        double_spends=len(found.verdicts["double spend"].anomalies),
        anomalies=found.anomalies,
        undecided={**found.undecided, **({"losses": losses.undecided} if losses.undecided else {})},
        orders=found.orders,
        disagreements=found.disagreements,
        struck_ns=seen.struck_ns,
        outage_ns=out.ns,
        outage_over=out.over,
        settled_ns=seen.settled_ns - seen.healed_ns,
        refused=sum(event.status == "fail" for event in seen.history),
        unanswered=sum(event.status == "unknown" for event in seen.history),
        integrity=seen.integrity,
    )


def _on_both_sides(answered: Sequence[Event]) -> int:
    """Count tokens that clients of both instances were answered about."""
    sides = [
        {event.presented for event in answered if event.kind == "rotate" and event.instance == side}
        for side in (0, 1)
    ]
    return len(sides[0] & sides[1])


SCENARIO = Scenario(
    name="failover",
    title="Lost when another server takes over",
    summary="the primary is cut off or killed under load: what was acknowledged, and is gone",
    parameters=FailoverParameters,
    presets={
        # Twenty faults of about 13 s each, most of it starts, elections and members that catch up:
        # with `durability` and `consistency` it has ten minutes.
        Effort.QUICK: FailoverParameters(
            trials=1, partitions=(3.0,), kills=(3.0,), before_seconds=0.5
        ),
        Effort.STANDARD: FailoverParameters(trials=3, partitions=(0.5, 2.0, 4.0, 8.0)),
        Effort.THOROUGH: FailoverParameters(trials=20, partitions=(0.5, 1.0, 2.0, 4.0, 8.0, 16.0)),
    },
    cases=cases,
    judge=judge,
    findings=FailoverFindings,
    default=False,
    subjects=(
        "redis:aof-everysec@sentinel",
        "redis:aof-everysec@sentinel-min1",
        "redis:aof-everysec@sentinel-wait1",
        "redis:aof-everysec@cluster",
        "postgres:sync@replica",
        "postgres:sync@replica-on",
        "postgres:sync@replica-apply",
        "mongo:w1@rs3",
        "mongo:journaled@rs3",
        "mongo:majority@rs3",
    ),
)
