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
    """How the searches ended, and on how many families they contradict the checkers."""

    orders: dict[str, int]
    """How the search for an order ended -> families."""
    disagreements: int
    """Families that one way finds guilty and the other innocent: a fault of this suite."""
    crashed: str
    """What the search failed with; empty if it didn't. It is no verdict on that family."""


def cross_check(
    families: Mapping[str, Sequence[Event]], suspects: AbstractSet[str], *, decided: bool
) -> CrossCheck:
    """Search each family's events for an order.

    `suspects` are those that a checker accuses; the others are innocent only if every checker
    `decided`. A search that did not come to an end disagrees with nobody.
    """
    orders: Counter[Found] = Counter()
    disagreements = 0
    crashed = ""
    for family, events in families.items():
        try:
            order = search(events, MOST_TRIED)
        # As with a checker: it has decided nothing, and the trial's other findings are kept.
        except Exception as error:  # noqa: BLE001
            crashed = f"{type(error).__name__}: {error}"
            order = Found.UNDECIDED
        orders[order] += 1
        disagreements += (order is Found.YES and family in suspects) or (
            order is Found.NO and family not in suspects and decided
        )
    return CrossCheck(
        {str(order): count for order, count in orders.items()}, disagreements, crashed
    )
