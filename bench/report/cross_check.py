"""What the search for an order says of the verdicts that a section shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol


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
    verdict = (
        f"It disagrees with the checkers on {wrong:,}: a fault of this suite."
        if wrong
        else "It agrees with the checkers on each that it decided."
    )
    return f"Cross-check by a search for an order of operations: {counted}. {verdict}"
