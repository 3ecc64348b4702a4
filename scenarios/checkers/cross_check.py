"""Two ways to judge a family's history that share nothing but the history, held to each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scenarios.checkers.linearizable import Found, search
from scenarios.history import Event

MOST_TRIED = 2_000
"""States that the search for one family's order may look at."""


class CrossCheck(NamedTuple):
    """What came of it."""

    orders: dict[str, int]
    """How the search for an order ended -> families."""
    disagreements: int
    """Families that one way finds guilty and the other innocent: a fault of this suite."""


def cross_check(families: Mapping[str, Sequence[Event]], suspects: AbstractSet[str]) -> CrossCheck:
    """Search each family's events for an order; `suspects` are those that a checker accuses.

    A search that did not come to an end disagrees with nobody.
    """
    found = {family: search(events, MOST_TRIED) for family, events in families.items()}
    return CrossCheck(
        orders=dict(Counter(str(order) for order in found.values())),
        disagreements=sum(
            order is not Found.UNDECIDED and (order is Found.NO) != (family in suspects)
            for family, order in found.items()
        ),
    )
