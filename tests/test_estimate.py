"""An estimate: a median over trials with its uncertainty."""

import pytest

from bench.analysis.estimate import estimate, zero_bound


def test_five_trials_give_their_range_as_an_interval() -> None:
    """The median of five lies between the lowest and the highest 15 times in 16."""
    found = estimate([10.0, 30.0, 12.0, 13.0, 11.0])
    assert (found.value, found.low, found.high, found.method) == (12, 10, 30, "interval")
    assert found.each == [10, 30, 12, 13, 11]
    assert found.half_width == pytest.approx(10 / 12)


def test_more_trials_narrow_it() -> None:
    """Of ten: between the second and the third, by the published weights (k=2, 0.658)."""
    found = estimate(list(range(10, 20)))
    assert (found.low, found.high) == pytest.approx((11.658, 17.342), abs=0.001)


def test_few_trials_give_their_range() -> None:
    """Four trials: lowest and highest, and it says so."""
    found = estimate([3.0, 1.0, 2.0, 10.0])
    assert (found.value, found.low, found.high, found.method) == (2.5, 1, 10, "range")


@pytest.mark.parametrize("values", [[7.0] * 6, [7.0, 7.0, 7.0, 7.0, 7.0, 8.0]])
def test_trials_that_are_alike_stay_inside_their_range(values: list[float]) -> None:
    """No interval is wider than what was seen."""
    found = estimate(values)
    assert found.value == 7
    assert min(values) == found.low <= found.high <= max(values)


def test_one_trial_says_so() -> None:
    """A single trial has no spread."""
    assert estimate([4.0]).method == "single"


def test_zero_bound() -> None:
    """The rule that design states: n=59 is 5%, n=300 is 1%, one trial says next to nothing."""
    assert zero_bound(0) == 1
    assert zero_bound(1) == pytest.approx(0.95)
    assert zero_bound(59) == pytest.approx(0.05, abs=0.001)
    assert zero_bound(300) == pytest.approx(0.01, abs=0.0002)
