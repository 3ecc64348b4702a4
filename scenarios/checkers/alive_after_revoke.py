"""Alive after revoke: once a family's end was acknowledged, no token of it is good any more.

A rotation that was answered with reuse has ended its family as a logout does.
"""

from collections.abc import Sequence

from scenarios.checkers.anomaly import Anomaly
from scenarios.checkers.lineage import GOOD, NEVER, Lineage, end_ns, families, readings
from scenarios.history import Event


def check(history: Sequence[Event]) -> Sequence[Anomaly]:
    """Find each call that began after the family's end was acknowledged, and let its bearer in."""
    lineages = (readings(family, events)[0] for family, events in families(history).items())
    return [anomaly for lineage in lineages for anomaly in undead(lineage)]


def undead(lineage: Lineage) -> Sequence[Anomaly]:
    """Find them in one family."""
    ended = min(lineage.killers, key=end_ns, default=None)
    if ended is None or end_ns(ended) == NEVER:
        return []
    return [
        Anomaly(
            family=lineage.family,
            ops=[ended.op, event.op],
            says=f"{event.kind} was answered {event.outcome} after {ended.kind} had returned",
        )
        for event in lineage.answers
        if event.outcome in GOOD and event.invoke_ns > end_ns(ended)
    ]
