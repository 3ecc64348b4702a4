"""Losses: what was acknowledged and is gone, and what came back to life, after a fault.

Compares what was acknowledged with what the store says afterwards. Four different harms are told
apart: a *lost session* costs a login; a *resurrected rotated token* or a *resurrected revoked
token* gives a thief a live token; a *phantom* was never written.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backends.store import Outcome
from scenarios.history import Event, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What a fault took, over all families."""

    acknowledged: Mapping[str, int]
    """Kind of effect (issue, rotate, revoke) -> writes whose effect was acknowledged."""
    lost: Sequence[Event]
    """Acknowledged writes whose effect is gone."""
    lost_sessions: int
    resurrected_rotated: int
    resurrected_revoked: int
    window_ns: int
    """From the first lost acknowledgement to when the fault struck; 0 where nothing is lost."""
    is_suffix: bool
    """Whether what is lost can be the end of some order of the writes."""
    recovered_unknown: int
    phantoms: int
    undecided: str | None = None
    """Why nothing of this is known. Never to be counted as nothing lost."""


def weigh(
    history: Sequence[Event], recovered: Mapping[str, State | None], fault_at_ns: int
) -> Losses:
    """Compare as `compare` does; where that crashes it has decided nothing, and says so."""
    try:
        return compare(history, recovered, fault_at_ns)
    # Whatever is wrong with the checker or the history, it must not pass for a store's innocence.
    except Exception as error:  # noqa: BLE001
        return Losses(
            acknowledged=Counter(),
            lost=[],
            lost_sessions=0,
            resurrected_rotated=0,
            resurrected_revoked=0,
            window_ns=0,
            is_suffix=True,
            recovered_unknown=0,
            phantoms=0,
            undecided=f"{type(error).__name__}: {error}",
        )


def compare(
    history: Sequence[Event], recovered: Mapping[str, State | None], fault_at_ns: int
) -> Losses:
    """Compare a history with what the store says afterwards: family id -> its state, if any.

    Raises ValueError for a history whose families weren't all looked at: nothing is known of them.
    """
    families = _families(history)
    if unseen := sorted(set(families) - set(recovered)):
        raise ValueError(f"never looked at after the fault: {', '.join(unseen[:3])}")
    fates = [_fate(events, recovered[family]) for family, events in families.items()]
    lost = [event for fate in fates for event in fate.lost]
    kept = [event for fate in fates for event in fate.kept]
    # A server goes on acknowledging until the fault has reached it.
    struck_ns = max([fault_at_ns, *(_returned(event) for event in lost)])
    first_lost_ns = min((_returned(event) for event in lost), default=struck_ns)
    surviving = [*kept, *(event for fate in fates for event in fate.recovered)]
    strangers = sum(
        state is not None for family, state in recovered.items() if family not in families
    )
    return Losses(
        acknowledged=Counter(_effect(event) for event in [*lost, *kept]),
        lost=lost,
        lost_sessions=sum(fate.session_lost for fate in fates),
        resurrected_rotated=sum(fate.rotated_is_back for fate in fates),
        resurrected_revoked=sum(fate.revoked_is_back for fate in fates),
        window_ns=struck_ns - first_lost_ns,
        is_suffix=not lost or all(e.invoke_ns <= first_lost_ns for e in surviving),
        recovered_unknown=len(surviving) - len(kept),
        phantoms=strangers + sum(fate.phantom for fate in fates),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
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


def _fate(events: Sequence[Event], found: State | None) -> _Fate:
    acknowledged = [event for event in events if _wrote(event)]
    unanswered = [event for event in events if event.status == "unknown"]
    if found is None:
        known = any(_effect(event) != "revoke" for event in acknowledged)
        return _Fate(lost=acknowledged, kept=[], session_lost=known)

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
    # One that was never answered may arrive after another has rotated its token: that is reuse.
    shown = Counter(event.presented for event in may_have_written)
    revocations += [event for event in unanswered if event.presented and shown[event.presented] > 1]
    ended = any(_effect(event) == "revoke" for event in acknowledged)
    return _Fate(
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
