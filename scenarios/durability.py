"""What survives: live load, then a fault in its midst, then what is gone and what is back."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

import backends
from backends import Subject
from backends.factory import is_factory
from backends.store import Capabilities
from scenarios.checkers.losses import weigh
from scenarios.phases.disturb import ComeBack, Disturb, Disturbed, FaultName
from scenarios.phases.workload import Workload
from scenarios.scenario import (
    Case,
    Companion,
    Effort,
    Findings,
    Observation,
    PositiveNumber,
    Scenario,
    ZeroParameters,
)

PROMISES: Mapping[str, str] = {
    "restart": "survives_restart",
    "crash": "survives_crash",
    "powercut": "survives_power_cut",
}
"""Fault -> the capability that says that nothing acknowledged is lost by it."""
LAST_CONTROL = "memory:process"
"""It needs no server and keeps nothing: for faults that no profile of a store would lose by."""


class DurabilityParameters(ZeroParameters, frozen=True):
    """Parameters of `durability`."""

    faults: Annotated[tuple[FaultName, ...], Field(min_length=1)] = (
        "restart",
        "crash",
        "powercut",
    )
    """One trial is one fault. There are also `pause`, `slow-disk`, `disk-full`, `io-error` and
    `lost-reply`, which leave the store's processes running."""
    seconds: PositiveNumber = 1.0
    """Load before the fault, at the longest: the moment is drawn from its second half."""
    outage_seconds: PositiveNumber = 0.5
    """How long a fault lasts that leaves the store's processes running."""
    rate: PositiveNumber = 1_000.0
    """Operations offered a second."""
    instances: PositiveInt = 2
    """Worker processes; a store that processes can't share gets one."""
    connections: PositiveInt = 8
    """Over all instances."""
    sessions: PositiveInt = 200
    """Issued before the load."""


class DurabilityFindings(Findings):
    """What one fault did to one store."""

    fault: str
    acknowledged_issues: int
    acknowledged_rotations: int
    acknowledged_revocations: int
    lost_sessions: int
    """Acknowledged sessions that the store no longer knows; a live one costs its user a login."""
    resurrected_rotated: int
    """Live sessions back at an older generation: a token that was rotated away is good again."""
    resurrected_revoked: int
    """Acknowledged revocations that are undone: a logged-out session lives again."""
    lost_writes: int
    """Acknowledged writes, of any kind, whose effect is gone."""
    loss_window_ns: int
    """From the first lost acknowledgement to when the fault struck; 0 where nothing is lost."""
    loss_is_suffix: bool
    """Whether what is lost can be the end of some order of the writes: nothing that was kept began
    after something lost was acknowledged."""
    recovered_unknown: int
    """Unanswered operations that turn out to have been executed."""
    phantoms: int
    """States that no operation of the history wrote."""
    torn: int = 0
    """Families of which the store has something that it can't read; counted as lost, too."""
    unanswered: int
    refused: int = 0
    """Operations that are known not to have been executed."""
    came_back: ComeBack = "restarted"
    """Whether it took writes again by itself once the fault was over, or had to be started again,
    as it has to be where the fault ended its processes; "never": it could not be started."""
    recovery_ns: int | None
    """From the fault to the first answer; of a fault that is healed, to the first answer after."""
    integrity: str | None
    undecided: str | None = None
    """Why it can't be told what was lost; the counts of it say nothing then. Never a pass."""


def cases(parameters: DurabilityParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial is one fault."""
    revoke = 1 if capabilities.revokes else 0
    workload = Workload(
        mix={"issue": 20, "rotate": 70, "revoke": 10 * revoke}, sessions=parameters.sessions
    )
    return [
        Case(
            name=fault,
            phases=[
                Disturb(
                    fault=fault,
                    workload=workload,
                    instances=parameters.instances,
                    connections=parameters.connections,
                    seconds=parameters.seconds,
                    outage_seconds=parameters.outage_seconds,
                    rate=parameters.rate,
                )
            ],
            trials=parameters.trials,
        )
        for fault in parameters.faults
    ]


def companions(
    parameters: DurabilityParameters, subjects: Sequence[Subject]
) -> Sequence[Companion]:
    """Give who loses by each fault that no subject can be relied on to lose by.

    The store of the first subject that has a profile for that, else memory. A topology is no
    control for others: not every fault is put to it.
    """
    keepers = [subject for subject in subjects if not subject.profile.held_by_client]
    found: dict[str, list[str]] = {}
    for fault in parameters.faults:
        if fault in PROMISES and keepers and not any(_loses(one, fault) for one in keepers):
            found.setdefault(_control(keepers, fault), []).append(fault)
    return [Companion(spec, faults) for spec, faults in found.items()]


def _control(subjects: Sequence[Subject], fault: str) -> str:
    # A backend out of a file has no name that a profile of it could be asked for by.
    known = [
        one.backend for one in subjects if one.backend.control_profile and not is_factory(one.spec)
    ]
    weak = (backends.resolve(f"{one.name}:{one.control_profile}") for one in known)
    return next((one.spec for one in weak if _loses(one, fault)), LAST_CONTROL)


def _loses(subject: Subject, fault: str) -> bool:
    """Whether a single server is declared not to survive a fault, and not by a rare moment alone.

    Of a backend that has a profile to lose with, no other counts: `redis:aof-everysec` survives
    most kills, and `sqlite:delete-full` most power cuts.
    """
    return (
        subject.topology is None
        and subject.backend.control_profile in {None, subject.profile.name}
        and PROMISES[fault] in subject.lacking
    )


def judge(observations: Sequence[Observation]) -> DurabilityFindings:
    """Compare what was acknowledged with what was found afterwards."""
    [seen] = [one for one in observations if isinstance(one, Disturbed)]
    losses = weigh(seen.history, seen.recovered, seen.fault_at_ns)
    return DurabilityFindings(
        fault=seen.phase.fault,
        acknowledged_issues=losses.acknowledged["issue"],
        acknowledged_rotations=losses.acknowledged["rotate"],
        acknowledged_revocations=losses.acknowledged["revoke"],
        lost_sessions=losses.lost_sessions,
        resurrected_rotated=losses.resurrected_rotated,
        resurrected_revoked=losses.resurrected_revoked,
        lost_writes=len(losses.lost),
        loss_window_ns=losses.window_ns,
        loss_is_suffix=losses.is_suffix,
        recovered_unknown=losses.recovered_unknown,
        phantoms=losses.phantoms,
        torn=len(seen.torn),
        unanswered=sum(event.status == "unknown" for event in seen.history),
        refused=sum(event.status == "fail" for event in seen.history),
        came_back=seen.came_back,
        recovery_ns=None if seen.back_at_ns is None else seen.back_at_ns - seen.fault_at_ns,
        integrity=seen.integrity,
        undecided=losses.undecided,
    )


SCENARIO = Scenario(
    name="durability",
    title="Lost by faults",
    summary="live load, then a restart, SIGKILL or power cut: what is gone, and what is back",
    parameters=DurabilityParameters,
    presets={
        Effort.QUICK: DurabilityParameters(trials=3, seconds=0.5),
        Effort.STANDARD: DurabilityParameters(trials=10, seconds=2.0),
        # None of 60 leaves a share of 5% of faults that lose, none of 300 one of 1%.
        Effort.THOROUGH: DurabilityParameters(trials=60, trials_at_zero=300, seconds=3.0),
    },
    brief={"trials": 1},
    cases=cases,
    judge=judge,
    findings=DurabilityFindings,
    companions=companions,
    harm=lambda findings: None if findings.undecided else findings.lost_writes,
)
