"""The search for capacity: the highest rate that is carried, and carried again."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from scenarios.phases.climb import Purpose

STRIDE = 1.25
"""By how much a rate is raised or lowered where nothing yet bounds it on that side."""

Attempt = Callable[[Purpose, float], bool]
"""Offers a rate, and says whether it was carried."""


class Found(NamedTuple):
    """Between which rates, in operations a second, the capacity lies."""

    capacity: float | None
    """The highest rate that was carried and confirmed."""
    fails_at: float | None
    """The lowest rate above it that was not carried."""


def search(
    ladder: Sequence[tuple[float, bool]], attempt: Attempt, searches: int, confirmations: int
) -> Found:
    """Close in on the rate at which it stops being carried, starting from what a ladder showed.

    `ladder` has rates and whether each was carried. At most `searches` further rates are tried.
    Then the best is tried `confirmations` times again, and one that fails any of them makes way
    for the next best.
    """
    seen = dict(ladder)
    for _ in range(searches):
        best, fails_at = _bracket(seen)
        if best is None:
            rate = min(seen) / STRIDE
        elif fails_at is None:
            rate = best * STRIDE
        else:
            rate = (best * fails_at) ** 0.5
        seen[rate] = attempt("search", rate)
    best, fails_at = _bracket(seen)
    while best is not None and not all(attempt("confirm", best) for _ in range(confirmations)):
        seen[best] = False
        best, fails_at = _bracket(seen)
    return Found(best, fails_at)


def _bracket(seen: dict[float, bool]) -> tuple[float | None, float | None]:
    """Give the highest rate that was carried, and the lowest above it that was not.

    One that failed below it was a hiccup, which is what confirming is for.
    """
    best = max((rate for rate, held in seen.items() if held), default=None)
    above = [rate for rate, held in seen.items() if not held and (best is None or rate > best)]
    return best, min(above, default=None)
