"""The search for capacity, on stores whose capacity is known."""

from collections.abc import Callable

import pytest

from bench.load.search import search
from scenarios.phases.climb import Purpose

Tried = list[tuple[Purpose, float]]


def knowing(capacity: float) -> tuple[Callable[[Purpose, float], bool], Tried]:
    """Give an attempt that holds up to `capacity`, and the list of what it was asked."""
    tried: Tried = []

    def attempt(purpose: Purpose, rate: float) -> bool:
        tried.append((purpose, rate))
        return rate <= capacity

    return attempt, tried


LADDER = (250.0, 500.0, 700.0, 900.0)


@pytest.mark.parametrize("capacity", [60.0, 260.0, 510.0, 777.0, 880.0, 950.0, 1_500.0])
def test_the_bracket_closes_in_on_the_capacity(capacity: float) -> None:
    """Inside the ladder, below it and above it: what is found holds, what it fails at doesn't."""
    attempt, tried = knowing(capacity)
    found = search([(rate, rate <= capacity) for rate in LADDER], attempt, 12, 2)
    assert found.capacity is not None
    assert found.capacity <= capacity
    assert found.capacity >= capacity * 0.98
    assert found.fails_at is not None
    assert found.fails_at > capacity
    assert [purpose for purpose, _ in tried[-2:]] == ["confirm", "confirm"]


def test_the_search_keeps_to_its_budget() -> None:
    """No more steps than were granted, and then it confirms what it has."""
    attempt, tried = knowing(600)
    found = search([(rate, rate <= 600) for rate in LADDER], attempt, 3, 1)
    assert [purpose for purpose, _ in tried] == ["search"] * 3 + ["confirm"]
    assert found.capacity is not None
    assert 500 < found.capacity <= 600


def test_a_store_that_carries_nothing_has_no_capacity() -> None:
    """It is looked for below the ladder, and not found."""
    attempt, _ = knowing(0)
    found = search([(rate, False) for rate in LADDER], attempt, 3, 1)
    assert found.capacity is None
    assert found.fails_at is not None
    assert found.fails_at < LADDER[0]


def test_everything_carried_leaves_the_upper_end_open() -> None:
    """Without a rate that failed, the capacity is at least what was tried."""
    attempt, _ = knowing(10_000)
    found = search([(rate, True) for rate in LADDER], attempt, 2, 1)
    assert found.capacity == 900 * 1.25**2
    assert found.fails_at is None


def test_a_lucky_step_is_not_confirmed_and_makes_way() -> None:
    """A rate that held once by luck fails when it is repeated; the next best is reported."""
    attempt, tried = knowing(600)
    found = search([(250, True), (500, True), (700, True), (900, False)], attempt, 0, 1)
    assert found == (500, 700)
    assert tried == [("confirm", 700), ("confirm", 500)]


def test_a_hiccup_below_does_not_hide_what_is_above() -> None:
    """A low rate that failed once, with higher ones carried and confirmed, is no bound."""
    attempt, _ = knowing(800)
    found = search([(250, False), (500, True), (700, True), (900, False)], attempt, 0, 2)
    assert found == (700, 900)
