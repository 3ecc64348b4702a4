"""What survives: live load, then a graceful restart or SIGKILL, then what is gone and what is back.

The checker compares what was acknowledged before the fault with what the store says afterwards.
Four different harms are told apart: a *lost session* costs a login; a *resurrected rotated token*
or a *resurrected revoked token* gives a thief a live token; a *phantom* was never written.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveInt

from backends.store import Capabilities
from scenarios.history import Event, State
from scenarios.scenario import (
    Case,
    Disturb,
    Disturbed,
    Effort,
    Observation,
    Parameters,
    PositiveNumber,
    Scenario,
    Workload,
)


class DurabilityParameters(Parameters, frozen=True):
    """Parameters of `durability`."""

    faults: Annotated[tuple[Literal["restart", "crash"], ...], Field(min_length=1)] = (
        "restart",
        "crash",
    )
    seconds: PositiveNumber = 1.0
    """Load before the fault."""
    rate: PositiveNumber = 1_000.0
    """Operations offered a second."""
    instances: PositiveInt = 2
    connections: PositiveInt = 8
    sessions: PositiveInt = 200


class DurabilityFindings(BaseModel, frozen=True):
    """What one fault did to one store."""

    fault: str
    acknowledged_issues: int
    acknowledged_rotations: int
    acknowledged_revocations: int
    lost_sessions: int
    """Acknowledged sessions that the store no longer knows; a live one costs its user a login."""
    resurrected_rotated: int
    """Sessions back at an older generation: a token that was rotated away is good again."""
    resurrected_revoked: int
    """Acknowledged revocations that are undone: a logged-out session lives again."""
    lost_writes: int
    """Acknowledged writes, of any kind, whose effect is gone."""
    loss_window_ns: int
    """From the first lost acknowledgement to the fault; 0 where nothing is lost."""
    loss_is_suffix: bool
    """Whether all that is lost was acknowledged after all that was kept."""
    recovered_unknown: int
    """Unanswered operations that turn out to have been executed."""
    phantoms: int
    """States that no operation of the history wrote."""
    unanswered: int
    recovery_ns: int
    """From the fault to the first answer."""
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
                    rate=parameters.rate,
                )
            ],
            trials=parameters.trials,
        )
        for fault in parameters.faults
    ]


def judge(observations: Sequence[Observation]) -> DurabilityFindings:
    """Compare what was acknowledged with what was found afterwards."""
    [seen] = [one for one in observations if isinstance(one, Disturbed)]
    families = _families(seen.history)
    verdicts = [_check(events, seen.recovered.get(family)) for family, events in families.items()]
    lost = [event for verdict in verdicts for event in verdict.lost]
    kept = [event for verdict in verdicts for event in verdict.kept]
    first_lost_ns = min((_returned(event) for event in lost), default=seen.fault_at_ns)
    acknowledged = Counter(event.kind for event in [*lost, *kept])
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
        loss_window_ns=max(seen.fault_at_ns - first_lost_ns, 0),
        loss_is_suffix=all(event.invoke_ns <= first_lost_ns for event in kept) or not lost,
        recovered_unknown=sum(verdict.recovered_unknown for verdict in verdicts),
        phantoms=strangers + sum(verdict.phantom for verdict in verdicts),
        unanswered=sum(event.status == "unknown" for event in seen.history),
        recovery_ns=seen.back_at_ns - seen.fault_at_ns,
        integrity=seen.integrity,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What became of one family; lost and kept are its acknowledged writes."""

    lost: Sequence[Event]
    kept: Sequence[Event]
    session_lost: bool = False
    rotated_is_back: bool = False
    revoked_is_back: bool = False
    recovered_unknown: int = 0
    phantom: bool = False


def _families(history: Sequence[Event]) -> Mapping[str, Sequence[Event]]:
    families: dict[str, list[Event]] = defaultdict(list)
    for event in history:
        families[event.family].append(event)
    return families


def _wrote(event: Event) -> bool:
    """Whether the store acknowledged that the event took effect."""
    return event.status == "ok" and event.outcome in {None, "rotated"}


def _returned(event: Event) -> int:
    assert event.return_ns is not None, event
    return event.return_ns


def _check(events: Sequence[Event], found: State | None) -> _Verdict:
    acknowledged = [event for event in events if _wrote(event)]
    unanswered = [event for event in events if event.status == "unknown"]
    if found is None:
        issued = any(event.kind == "issue" for event in acknowledged)
        return _Verdict(lost=acknowledged, kept=[], session_lost=issued)

    def stands(event: Event) -> bool:
        return found.revoked if event.kind == "revoke" else event.generation <= found.generation

    def is_found(event: Event) -> bool:
        return (event.generation, event.digest) == (found.generation, found.digest)

    written = [event for event in [*acknowledged, *unanswered] if event.kind != "revoke"]
    revokers = [event for event in [*acknowledged, *unanswered] if event.kind == "revoke"]
    lost = [event for event in acknowledged if not stands(event)]
    return _Verdict(
        lost=lost,
        kept=[event for event in acknowledged if stands(event)],
        rotated_is_back=any(event.kind != "revoke" for event in lost),
        revoked_is_back=any(event.kind == "revoke" for event in lost),
        recovered_unknown=sum(
            found.revoked if event.kind == "revoke" else is_found(event) for event in unanswered
        ),
        phantom=not any(map(is_found, written)) or (found.revoked and not revokers),
    )


SCENARIO = Scenario(
    name="durability",
    title="Lost on restart and crash",
    summary="live load, then a graceful restart or SIGKILL: what is gone, and what is back",
    parameters=DurabilityParameters,
    presets={
        Effort.QUICK: DurabilityParameters(trials=1, seconds=0.8),
        Effort.STANDARD: DurabilityParameters(trials=10, seconds=2.0),
        Effort.THOROUGH: DurabilityParameters(trials=59, seconds=3.0),
    },
    cases=cases,
    judge=judge,
    findings=DurabilityFindings,
)
