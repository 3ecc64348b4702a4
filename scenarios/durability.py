"""What survives: live load, then a fault in its midst, then what is gone and what is back.

The checker compares what was acknowledged before the fault with what the store says afterwards.
Four different harms are told apart: a *lost session* costs a login; a *resurrected rotated token*
or a *resurrected revoked token* gives a thief a live token; a *phantom* was never written.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveInt

from backends.store import Capabilities, Outcome
from scenarios.history import Event, State
from scenarios.phases.disturb import ComeBack, Disturb, Disturbed, FaultName
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


class DurabilityParameters(Parameters, frozen=True):
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


def judge(observations: Sequence[Observation]) -> DurabilityFindings:
    """Compare what was acknowledged with what was found afterwards.

    Raises ValueError for a history whose families weren't all looked at: nothing is known of them.
    """
    [seen] = [one for one in observations if isinstance(one, Disturbed)]
    families = _families(seen.history)
    if unseen := sorted(set(families) - set(seen.recovered)):
        raise ValueError(f"never looked at after the fault: {', '.join(unseen[:3])}")
    verdicts = [_check(events, seen.recovered[family]) for family, events in families.items()]
    lost = [event for verdict in verdicts for event in verdict.lost]
    kept = [event for verdict in verdicts for event in verdict.kept]
    # A server goes on acknowledging until the fault has reached it.
    struck_ns = max([seen.fault_at_ns, *(_returned(event) for event in lost)])
    first_lost_ns = min((_returned(event) for event in lost), default=struck_ns)
    surviving = [*kept, *(event for verdict in verdicts for event in verdict.recovered)]
    acknowledged = Counter(_effect(event) for event in [*lost, *kept])
    strangers = sum(
        state is not None for family, state in seen.recovered.items() if family not in families
    )
    return DurabilityFindings(
        fault=seen.phase.fault,
        acknowledged_issues=acknowledged["issue"],
        acknowledged_rotations=acknowledged["rotate"],
        acknowledged_revocations=acknowledged["revoke"],
        lost_sessions=sum(verdict.session_lost for verdict in verdicts),
        resurrected_rotated=sum(verdict.rotated_is_back for verdict in verdicts),
        resurrected_revoked=sum(verdict.revoked_is_back for verdict in verdicts),
        lost_writes=len(lost),
        loss_window_ns=struck_ns - first_lost_ns,
        loss_is_suffix=not lost or all(e.invoke_ns <= first_lost_ns for e in surviving),
        recovered_unknown=len(surviving) - len(kept),
        phantoms=strangers + sum(verdict.phantom for verdict in verdicts),
        torn=len(seen.torn),
        unanswered=sum(event.status == "unknown" for event in seen.history),
        refused=sum(event.status == "fail" for event in seen.history),
        came_back=seen.came_back,
        recovery_ns=None if seen.back_at_ns is None else seen.back_at_ns - seen.fault_at_ns,
        integrity=seen.integrity,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What became of one family."""

    lost: Sequence[Event]
    """Acknowledged writes whose effect is gone."""
    kept: Sequence[Event]
    """Acknowledged writes that stand."""
    recovered: Sequence[Event] = ()
    """Unanswered writes that stand."""
    session_lost: bool = False
    rotated_is_back: bool = False
    revoked_is_back: bool = False
    phantom: bool = False


def _families(history: Sequence[Event]) -> Mapping[str, Sequence[Event]]:
    families: dict[str, list[Event]] = defaultdict(list)
    for event in history:
        families[event.family].append(event)
    return families


def _effect(event: Event) -> str:
    """Say what an event does if it takes effect: a rotation that meets reuse revokes."""
    return "revoke" if event.outcome == Outcome.REUSED else event.kind


def _wrote(event: Event) -> bool:
    """Whether the store acknowledged that the event took effect."""
    return event.status == "ok" and event.outcome in {None, Outcome.ROTATED, Outcome.REUSED}


def _returned(event: Event) -> int:
    assert event.return_ns is not None, event
    return event.return_ns


def _check(events: Sequence[Event], found: State | None) -> _Verdict:
    acknowledged = [event for event in events if _wrote(event)]
    unanswered = [event for event in events if event.status == "unknown"]
    if found is None:
        known = any(_effect(event) != "revoke" for event in acknowledged)
        return _Verdict(lost=acknowledged, kept=[], session_lost=known)

    def is_found(event: Event) -> bool:
        return (event.generation, event.digest) == (found.generation, found.digest)

    def stands(event: Event) -> bool:
        if _effect(event) == "revoke":
            return found.revoked
        return event.generation < found.generation or is_found(event)

    lost = [event for event in acknowledged if not stands(event)]
    may_have_written = [*acknowledged, *unanswered]
    tokens = [event for event in may_have_written if _effect(event) != "revoke"]
    revocations = [event for event in may_have_written if _effect(event) == "revoke"]
    ended = any(_effect(event) == "revoke" for event in acknowledged)
    return _Verdict(
        lost=lost,
        kept=[event for event in acknowledged if stands(event)],
        recovered=[
            event
            for event in unanswered
            if (found.revoked and not ended if event.kind == "revoke" else is_found(event))
        ],
        rotated_is_back=not found.revoked and any(_effect(e) != "revoke" for e in lost),
        revoked_is_back=any(_effect(event) == "revoke" for event in lost),
        phantom=not any(map(is_found, tokens)) or (found.revoked and not revocations),
    )


SCENARIO = Scenario(
    name="durability",
    title="Lost by faults",
    summary="live load, then a restart, SIGKILL or power cut: what is gone, and what is back",
    parameters=DurabilityParameters,
    presets={
        Effort.QUICK: DurabilityParameters(trials=1, seconds=0.6),
        Effort.STANDARD: DurabilityParameters(trials=10, seconds=2.0),
        Effort.THOROUGH: DurabilityParameters(trials=60, seconds=3.0),
    },
    cases=cases,
    judge=judge,
    findings=DurabilityFindings,
)
