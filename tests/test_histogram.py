"""Histograms: a bounded error, an exact merge, percentiles by rank."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scenarios.histogram import BITS, count, histogram, merged, percentile_ns, value_ns

HOURS_NS = 104 * 24 * 3_600_000_000_000
"""As far as a value is promised to be binned exactly."""

latencies = st.one_of(st.integers(0, 1_000), st.integers(0, 10**10), st.integers(0, HOURS_NS))


def bucketed(*values_ns: int) -> dict[int, int]:
    return histogram(np.array(values_ns, dtype=np.int64))


def bucket_of(one_ns: int) -> int:
    [bucket] = bucketed(one_ns)
    return bucket


@given(latencies)
def test_a_value_comes_back_within_its_bucket(latency_ns: int) -> None:
    """The middle of a bucket is at most 1/256 off: half of the 1/128 that a bucket is wide."""
    middle_ns = value_ns(bucket_of(latency_ns))
    assert abs(middle_ns - latency_ns) * 256 <= latency_ns


def test_a_small_value_is_exact() -> None:
    """From 0 and 1 ns to 255, each has a bucket of its own."""
    small = range(2 << BITS)
    assert [value_ns(bucket_of(latency_ns)) for latency_ns in small] == list(small)


@given(latencies, latencies)
def test_buckets_are_in_the_order_of_their_values(one_ns: int, other_ns: int) -> None:
    """So that ranks can be counted along them; the buckets leave no gap."""
    smaller, larger = sorted((one_ns, other_ns))
    assert bucket_of(smaller) <= bucket_of(larger)
    assert bucket_of(smaller + 1) - bucket_of(smaller) in {0, 1}


def test_a_power_of_two_begins_a_bucket() -> None:
    """Binning is by integers: where a float's logarithm would be one off."""
    edges = [1 << exponent for exponent in range(1, 63)]
    assert all(bucket_of(edge - 1) < bucket_of(edge) for edge in edges)


@given(st.lists(st.lists(latencies)))
def test_a_merge_is_the_histogram_of_the_whole(parts: list[list[int]]) -> None:
    """However the values were shared out among threads, processes and trials."""
    whole = bucketed(*(value for part in parts for value in part))
    assert merged(bucketed(*part) for part in parts) == whole
    assert count(whole) == sum(map(len, parts))


percents = st.sampled_from(["0", "1", "50", "90", "99", "99.9", "99.99", "33.333"])


@given(st.lists(latencies, min_size=1, max_size=3_000), percents)
def test_a_percentile_is_the_nearest_rank(values_ns: list[int], percent: str) -> None:
    """The bucket that holds the value which the sorted samples have at that rank."""
    found_ns = percentile_ns(bucketed(*values_ns), percent)
    share = Fraction(percent) / 100
    if len(values_ns) * (1 - share) < 1:
        assert found_ns is None
        return
    rank = max(math.ceil(share * len(values_ns)), 1)
    assert found_ns == value_ns(bucket_of(sorted(values_ns)[rank - 1]))


def test_a_rank_is_counted_in_whole_numbers() -> None:
    """99.9 / 100 * n in floats is one rank too far at each of these, and lands among the slow."""
    for thousands in range(1, 60):
        fast, slow = 999 * thousands, thousands
        assert percentile_ns({100: fast, 5_000: slow}, "99.9") == 100
        assert percentile_ns({100: fast - 1, 5_000: slow + 1}, "99.9") == value_ns(5_000)


def test_a_rank_in_floats_would_be_one_off() -> None:
    """The control of the test above: with floats it would fail everywhere."""
    assert [math.ceil(99.9 / 100 * 1_000 * n) - 999 * n for n in range(1, 60)] == [1] * 59


def test_a_percentile_that_the_samples_cannot_carry_is_none() -> None:
    """p99.9 takes 1,000 samples; the maximum is no percentile; nothing has none."""
    assert percentile_ns({5: 999}, "99.9") is None
    assert percentile_ns({5: 1_000}, "99.9") == 5
    assert percentile_ns({5: 1_000}, "100") is None
    assert percentile_ns({}, "50") is None
    assert percentile_ns({5: 1}, "50") is None
    assert percentile_ns({5: 2}, "50") == 5


def test_no_values_make_an_empty_histogram() -> None:
    """And it merges like any other."""
    assert bucketed() == {}
    assert merged([]) == {}
    assert merged([bucketed(), bucketed(7)]) == {7: 1}
    assert count({}) == 0
