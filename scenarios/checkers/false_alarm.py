"""False alarm: a refusal that nothing in the history explains.

REUSED needs a rotation that took that token away, and ends the family once; REVOKED needs
something that ended it; a token that was never made can be neither. A driver that sends a rotation
again after a lost answer raises such an alarm against its own caller.
"""

from collections.abc import Sequence

from backends.store import Outcome
from scenarios.checkers.anomaly import Anomaly
from scenarios.checkers.lineage import GOOD, Lineage, families, readings
from scenarios.history import Event


def check(history: Sequence[Event]) -> Sequence[Anomaly]:
    """Find the refusals that no reading of a family's events explains."""
    found: list[Anomaly] = []
    for family, events in families(history).items():
        of_each = [alarms(lineage) for lineage in readings(family, events)]
        fewest: Sequence[Anomaly] = min(of_each, key=len)
        found += fewest
    return found


def alarms(lineage: Lineage) -> Sequence[Anomaly]:
    """Find them in one reading of one family; none where its rotations are no path."""
    if lineage.forks or any(stray.outcome in GOOD for stray in lineage.strays):
        return []
    replaced = {step.digest for step in lineage.path[:-1]}
    reused = [
        event
        for event in lineage.answers
        if event.kind == "rotate" and event.outcome == Outcome.REUSED
    ]
    unexplained = [
        (event, f"was answered {event.outcome}, and nothing had replaced its token")
        for event in lineage.answers
        if event.outcome in {Outcome.REUSED, Outcome.GRACE} and event.presented not in replaced
    ]
    unexplained += [
        (event, "was answered reused, and the family had ended by reuse before")
        for event in reused[1:]
        if event.presented in replaced
    ]
    unexplained += [
        (event, "was answered revoked, and nothing had ended the family")
        for event in lineage.answers
        if event.outcome == Outcome.REVOKED and not lineage.killers
    ]
    unexplained += [
        (event, f"was answered {event.outcome}, of a token that no operation made")
        for event in lineage.strays
        if event.outcome == Outcome.REVOKED and lineage.killers
    ]
    return [
        Anomaly(family=lineage.family, ops=[event.op], says=f"{event.kind} {says}")
        for event, says in unexplained
    ]
