"""What the checkers find in a history, and what the search for an order says of that."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scenarios.checkers import verdicts
from scenarios.checkers.anomaly import Verdict
from scenarios.checkers.cross_check import cross_check
from scenarios.history import Event


class Judgement(NamedTuple):
    """All that is said of one history."""

    verdicts: Mapping[str, Verdict]
    """Checker -> what it says."""
    suspects: AbstractSet[str]
    """Families that some checker accuses."""
    anomalies: dict[str, int]
    """Checker -> families that it accuses; those that accuse none are left out."""
    undecided: dict[str, str]
    """Checker, or the search -> why it can't tell."""
    orders: dict[str, int]
    """How the search for an order ended -> families that were searched."""
    disagreements: int
    """Families on which the search and the checkers say otherwise: a fault of this suite."""


def judge(history: Sequence[Event], searched: Mapping[str, Sequence[Event]]) -> Judgement:
    """Hold a history to every checker, and `searched` families of it to the search for an order."""
    found = verdicts(history)
    accused = {name: {one.family for one in said.anomalies} for name, said in found.items()}
    suspects = set().union(*accused.values())
    undecided = {name: verdict.undecided for name, verdict in found.items() if verdict.undecided}
    crossed = cross_check(searched, suspects, decided=not undecided)
    if crossed.crashed:
        undecided["search for an order"] = crossed.crashed
    return Judgement(
        verdicts=found,
        suspects=suspects,
        anomalies={name: len(those) for name, those in accused.items() if those},
        undecided=undecided,
        orders=crossed.orders,
        disagreements=crossed.disagreements,
    )
