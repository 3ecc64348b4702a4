"""Double spend: the successful rotations of a family form one path, from the issued token on.

Two successful rotations of one token leave two holders of one session, and the store blind to it.
A token that is good and that nobody made is the same harm by another way.
"""

from collections.abc import Sequence

from scenarios.checkers.anomaly import Anomaly
from scenarios.checkers.lineage import GOOD, families, readings
from scenarios.history import Event


def check(history: Sequence[Event]) -> Sequence[Anomaly]:
    """Find each token that was rotated more than once, and each that came from nowhere."""
    found = []
    for family, events in families(history).items():
        lineage = readings(family, events)[0]
        found += [
            Anomaly(
                family=family,
                ops=[event.op for event in several],
                says=f"one token was rotated {len(several)} times",
            )
            for several in lineage.forks
        ]
        found += [
            Anomaly(
                family=family,
                ops=[stray.op],
                says=f"a token that no operation made was answered {stray.outcome}",
            )
            for stray in lineage.strays
            if stray.outcome in GOOD
        ]
    return found
