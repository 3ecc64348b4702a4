"""What the search for an order says of the verdicts that a section shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from bench.report import formats
from scenarios.checkers.linearizable import Found

UNDECIDED = str(Found.UNDECIDED)
FAULT = "a fault of this suite"


class Searched(Protocol):
    """Figures over histories that were searched."""

    @property
    def orders(self) -> Mapping[str, int]:
        """How the search ended -> families."""

    @property
    def disagreements(self) -> int:
        """Families on which the search and the checkers say otherwise."""


def cross_checked(every: Iterable[Searched]) -> str:
    """Say how the searches ended and whether they agree; nothing where none was made."""
    orders: Counter[str] = Counter()
    wrong = 0
    for one in every:
        orders.update(one.orders)
        wrong += one.disagreements
    if not orders:
        return ""
    counted = ", ".join(f"{families:,} {order}" for order, families in sorted(orders.items()))
    if wrong:
        verdict = f"It disagrees with the checkers on {wrong:,}: {FAULT}."
    elif set(orders) == {UNDECIDED}:
        verdict = "It decided none."
    else:
        verdict = "It agrees with the checkers on each that it decided."
    return f"Cross-check by a search for an order of operations: {counted}. {verdict}"


def disagreed(every: Iterable[Searched]) -> str:
    """Say that a verdict of the run can't be trusted; nothing where none is in doubt."""
    wrong = sum(one.disagreements for one in every)
    if not wrong:
        return ""
    families = formats.count(wrong, "family", "families")
    return f"cross-check: the search disagrees with the checkers on {families}: {FAULT}"
