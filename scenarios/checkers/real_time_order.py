"""Real-time order: there is an order of the writes that respects who was answered before whom.

The writes of a family have one order: the path, then its end. What is free is the instant at which
each took effect, inside its call. Every answer bounds these instants: a token that was found valid
had been made by the end of that call, and was not replaced before its beginning. If the lower
bounds, carried forward along the path, stay below the upper ones, an order exists; if not, none
does. So this decides, and in linear time.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from backends.store import Outcome
from scenarios.checkers.alive_after_revoke import undead
from scenarios.checkers.anomaly import Anomaly
from scenarios.checkers.false_alarm import alarms
from scenarios.checkers.lineage import (
    GOOD,
    NEVER,
    REVOCATIONS,
    Lineage,
    end_ns,
    families,
    readings,
)
from scenarios.history import Event


class Bound(NamedTuple):
    """An instant that a write can't be before, or after, and the operation that says so."""

    at_ns: int
    op: int


class Writes:
    """The writes of one family in their order, each between two bounds."""

    def __init__(self) -> None:
        self._bounds: list[tuple[Bound, Bound]] = []

    def add(self, not_before: Bound, not_after: Bound) -> int:
        """Append a write; give its position."""
        self._bounds.append((not_before, not_after))
        return len(self._bounds) - 1

    def after(self, position: int, event: Event) -> None:
        """Let a call have found the write done."""
        if position < len(self._bounds):
            low, high = self._bounds[position]
            self._bounds[position] = low, min(high, Bound(end_ns(event), event.op))

    def before(self, position: int, event: Event) -> None:
        """Let a call have found the write not yet done."""
        if position < len(self._bounds):
            low, high = self._bounds[position]
            self._bounds[position] = max(low, Bound(event.invoke_ns, event.op)), high

    def conflict(self) -> Sequence[int]:
        """Give two operations that leave some write no instant; none if all have one."""
        latest = Bound(0, 0)
        for low, high in self._bounds:
            latest = max(latest, low)
            if latest.at_ns > high.at_ns:
                return [latest.op, high.op]
        return []


def check(history: Sequence[Event]) -> Sequence[Anomaly]:
    """Find the families whose answers fit no order. Those that other checkers name are theirs."""
    found = []
    for family, events in families(history).items():
        explained = [
            lineage
            for lineage in readings(family, events)
            if lineage.path and lineage.is_path and not undead(lineage) and not alarms(lineage)
        ]
        conflicts = [conflict(lineage) for lineage in explained]
        if conflicts and all(conflicts):
            found.append(
                Anomaly(
                    family=family,
                    ops=conflicts[0],
                    says="no order of its operations gives these answers",
                )
            )
    return found


def conflict(lineage: Lineage) -> Sequence[int]:
    """Give two operations that no order satisfies; none if there is an order."""
    found = _with_end_last(lineage).conflict()
    return found if found and _stillborn(lineage).conflict() else []


def _with_end_last(lineage: Lineage) -> Writes:
    """Order the path, and after it the family's end, if anything tells of one."""
    writes = Writes()
    for step in lineage.path:
        writes.add(Bound(step.invoke_ns, step.op), Bound(step.return_ns, step.op))
    position = {step.digest: number for number, step in enumerate(lineage.path)}
    end = len(position)
    reused = [
        event
        for event in lineage.answers
        if event.kind == "rotate" and event.outcome == Outcome.REUSED
    ]
    revocations = [event for event in lineage.answers if event.kind in REVOCATIONS]
    refused = [event for event in lineage.answers if event.outcome == Outcome.REVOKED]
    if reused or revocations or refused:
        # Reuse is met by a family that lives: then it is this call that ended it.
        first = min(reused or lineage.killers, key=lambda event: event.invoke_ns)
        writes.add(Bound(first.invoke_ns, first.op), Bound(NEVER, first.op))
        for event in [*reused, *revocations, *refused]:
            writes.after(end, event)
    _bound(writes, lineage.answers, position)
    return writes


def _bound(writes: Writes, answers: Sequence[Event], position: Mapping[str, int]) -> None:
    """Let every answer about a token say between which writes it was given."""
    end = len(position)
    for event in answers:
        made = position.get(event.presented, end + 1)
        match event.outcome:
            case Outcome.VALID:
                writes.after(made, event)
                writes.before(made + 1, event)
            case Outcome.GRACE:
                writes.after(made + 1, event)
                writes.before(made + 2, event)
            case Outcome.UNKNOWN:
                writes.before(made, event)
            case Outcome.REVOKED:
                writes.after(made, event)
            case Outcome.REUSED:
                writes.after(made + 1, event)
                if event.kind == "verify":
                    writes.before(end, event)
            case _:
                pass


def _stillborn(lineage: Lineage) -> Writes:
    """Order a subject's end before an issue that it overtook: what is issued then is dead at once.

    Where there was no such end, or somebody was let in, the order is a contradiction.
    """
    writes = Writes()
    [issue, *further] = lineage.path
    ended = [event for event in lineage.killers if event.kind == "revoke_subject"]
    if further or not ended or any(event.outcome in GOOD for event in lineage.answers):
        writes.add(Bound(NEVER, issue.op), Bound(0, issue.op))
        return writes
    not_before = max(Bound(issue.invoke_ns, issue.op), Bound(ended[0].invoke_ns, ended[0].op))
    writes.add(not_before, Bound(issue.return_ns, issue.op))
    for event in lineage.answers:
        if event.presented == issue.digest and event.outcome == Outcome.UNKNOWN:
            writes.before(0, event)
        elif event.presented == issue.digest and event.outcome == Outcome.REVOKED:
            writes.after(0, event)
    return writes
