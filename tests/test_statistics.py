"""The statistics keep what they promise: a part of each simulation, and what docs/method.md says.

The full sizes are `python -m benchmarks.statistics`; the slow tests hold the page to them.
"""

import os
import re
from collections.abc import Sequence

import pytest
from scipy.stats import binom

from benchmarks import real_repeats
from benchmarks.capacities import POINTS, told_of_capacities
from benchmarks.intervals import bootstrap_coverage, coverage, stopping
from benchmarks.noise import HARDEST
from benchmarks.published import publish, published
from benchmarks.statistics import FULL
from benchmarks.verdicts import compared, drifted, ranks
from scenarios.scenario import Effort


def beyond_chance(share: float, repeats: int, promised: float) -> bool:
    """Whether so many in a sample would be seen in less than 1 of 1,000 if the promise held."""
    return bool(binom.sf(round(share * repeats) - 1, repeats, promised) < 0.001)


def rows(name: str) -> Sequence[Sequence[str]]:
    """Read the figures of a published table, its headings and sizes left out."""
    lines = [line for line in published(name).splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def percent(cell: str) -> float:
    return float(cell.removesuffix("%")) / 100


@pytest.mark.parametrize("trials", [5, 7, 10, 20])
def test_the_interval_holds_the_median_as_often_as_it_says(trials: int) -> None:
    """92 to 97%, on every shape; a sample may stray by what 1,000 sets let it."""
    repeats = 1_000
    [found] = coverage(repeats, [trials])
    for name, share in found.shares.items():
        if name != HARDEST:
            assert not beyond_chance(share, repeats, 0.97), (name, share)
            assert not beyond_chance(1 - share, repeats, 0.08), (name, share)


def test_the_bootstrap_does_not() -> None:
    """So the measurement can tell: BCa at seven trials misses too often."""
    [found] = bootstrap_coverage(400, [7])
    assert beyond_chance(1 - min(found.shares.values()), 400, 0.08)


def test_stopping_early_costs_little() -> None:
    """Where trials end as soon as the interval is narrow, it still holds the median mostly."""
    [found] = stopping(600, [0.09])
    assert 10 < found.trials < 20
    assert not beyond_chance(1 - found.covered, 600, 0.08)


def test_equal_stores_tie() -> None:
    """Of classes without any difference, at most 5% are put in an order, with any numbers."""
    repeats = 150
    for found in ranks(repeats):
        for name, share in found.shares.items():
            assert not beyond_chance(share, repeats, 0.05), (found, name)


def test_compare_is_seldom_wrong_and_sees_ten_percent() -> None:
    """5% of noise, ten trials a side: at most 5% said of the same code, 90% found of a slowdown."""
    repeats = 100
    [found] = compared(repeats, [(0.05, "lognormal", (10, 10))])
    assert not beyond_chance(found.alike_told, repeats, 0.05)
    assert not beyond_chance(1 - found.slowed_found, repeats, 0.10)


def test_what_a_search_finds_is_compared_as_well() -> None:
    """Capacities of four stores: at most 5% said of the same code, 90% found of a slowdown."""
    repeats = 60
    [found] = told_of_capacities(repeats, [(0.03, Effort.STANDARD, 10)])
    assert not beyond_chance(found.alike_told, repeats, 0.05)
    assert not beyond_chance(1 - found.slowed_found, repeats, 0.10)


def test_a_drifting_machine_needs_a_control() -> None:
    """Without one, `compare` takes the machine for the store; relative to one it does not."""
    [found] = drifted(60, [0.1])
    assert beyond_chance(found.plain, 60, 0.05)
    assert not beyond_chance(found.relative, 60, 0.05)


class TestPublished:
    def test_coverage(self) -> None:
        """Every shape that the promise is about lies between 92 and 97%, at every number."""
        found = [row for row in rows("coverage") if len(row) > 3]
        assert [int(row[0]) for row in found] == [5, 6, 7, 8, 10, 12, 15, 20, 30]
        for row in found:
            assert all(0.92 <= percent(cell) <= 0.97 for cell in row[1:5]), row

    def test_ranks(self) -> None:
        """At most 5%, but for what so many classes let a figure stray."""
        _, repeats = FULL["ranks"]
        for row in rows("ranks"):
            assert not any(beyond_chance(percent(cell), repeats, 0.05) for cell in row[2:]), row

    def test_compare(self) -> None:
        """Of the same code at most 5%, as far as so many pairs can tell."""
        _, repeats = FULL["compare"]
        found = [row for row in rows("compare") if len(row) > 3]
        for row in found:
            assert not beyond_chance(percent(row[3]), repeats, 0.05), row
        [at_five] = [row for row in found if row[:3] == ["5%", "lognormal", "10 and 10"]]
        assert percent(at_five[5]) >= 0.9

    def test_capacity(self) -> None:
        """The same of capacities; at 5% of noise and ten trials a slowdown is found."""
        _, repeats = FULL["capacity"]
        found = rows("capacity")
        assert len(found) == len(POINTS)
        for row in found:
            assert not beyond_chance(percent(row[3]), repeats, 0.05), row
        [at_five] = [row for row in found if row[:3] == ["5%", "standard", "10"]]
        assert percent(at_five[5]) >= 0.9

    def test_real(self) -> None:
        """Real repeats: nine of ten slowdowns found, and at most 5% said of the same code."""
        told = published("real").splitlines()
        alike, slowed = ([int(cell) for cell in re.findall(r"\| (\d+)", line)] for line in told[2:])
        assert alike[1] <= 0.05 * alike[0]
        assert slowed[2] >= 0.9 * slowed[0]


def test_a_real_slowdown_is_found() -> None:
    """A store that takes 10% longer for every call; by another pair where a neighbour hid it.

    And the same code isn't always called worse, or the finding would be none.
    """
    told: list[real_repeats.Rates] = []
    while len(told) < 3 and not (
        any(one.slower_found for one in told) and any(not one.alike_worse for one in told)
    ):
        told.append(real_repeats.measure(1))
    assert any(one.slower_found for one in told)
    assert any(not one.alike_worse for one in told)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", FULL)
def test_the_page_has_what_the_full_size_gives(name: str) -> None:
    """From the same seed the same table; UPDATE_DOCS=1 writes it anew."""
    make, repeats = FULL[name]
    table = make(repeats)
    if os.environ.get("UPDATE_DOCS"):
        publish(name, table)
    assert published(name) == table


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_real_repeats() -> None:
    """The rates on real runs; UPDATE_DOCS=1 publishes them."""
    found = real_repeats.measure(real_repeats.PAIRS)
    if os.environ.get("UPDATE_DOCS"):
        publish("real", "\n".join(found.rows()))
    assert found.slower_found >= 0.9 * found.pairs
    assert not beyond_chance(found.alike_worse / found.alike, found.alike, 0.05)
