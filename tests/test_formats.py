"""How figures, shares, bounds and names are written."""

import pytest

from bench.report import formats
from bench.report.names import names
from tests import records


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.01234, "0.0123"), (0.9996, "1.00"), (9.996, "10.0"), (99.96, "100"),
        (1234.5, "1,230"), (999_600, "1,000,000"),
    ],
)  # fmt: skip
def test_three_significant_digits(value: float, text: str) -> None:
    """Rounding first, so that no figure shows four."""
    assert formats.significant(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.00001, "< 0.1%"), (0.005, "0.5%"), (0.99999, "> 99.9%"), (1, "100%")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float, text: str) -> None:
    """0% and 100% are said of nothing else."""
    assert formats.percent(share) == text


def test_a_bound_is_rounded_up() -> None:
    """Rounded down it would bound too much."""
    assert formats.bound(0.04951) == "5%"
    assert formats.bound(0.95) == "95%"


def test_names_stay_unique() -> None:
    """Two factories of one name in two folders keep their folders."""
    facts = [
        records.subjects([records.Shape(spec, records.CRASH, 1)])[0]
        for spec in ("one/store.py:make", "two/store.py:make", "three/other.py:make")
    ]
    assert list(names(facts).values()) == [
        "one/store.py:make",
        "two/store.py:make",
        "other.py:make",
    ]
