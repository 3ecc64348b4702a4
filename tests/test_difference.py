"""The comparison of two figures, against what is known of it."""

import numpy as np
import pytest
from scipy import stats

from bench.analysis.difference import difference, holm


def test_it_is_welchs_t_on_logarithms() -> None:
    """Held against scipy's own, for unequal numbers; resolution is beside the point here."""
    rng = np.random.default_rng(1)
    one, other = rng.lognormal(0, 0.2, 6), rng.lognormal(0.3, 0.4, 11)
    found = difference(one.tolist(), other.tolist())
    known = stats.ttest_ind(np.log(other), np.log(one), equal_var=False)
    assert found is not None
    assert found.p == pytest.approx(known.pvalue, rel=0.01)
    low, high = np.exp(known.confidence_interval(0.95))
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.001)
    assert found.ratio == pytest.approx(np.exp(np.log(other).mean() - np.log(one).mean()))


def test_trials_in_one_bucket_are_not_taken_for_exact() -> None:
    """Equal percentiles are equal to a bucket: 0.3% between them proves nothing, 5% does."""
    alike = difference([100.0] * 5, [100.3] * 5)
    apart = difference([100.0] * 5, [105.0] * 5)
    assert alike is not None
    assert apart is not None
    assert alike.p > 0.05 > apart.p


def test_one_trial_cannot_be_compared() -> None:
    """It has no spread."""
    assert difference([1.0], [2.0, 3.0]) is None


def test_holm_by_hand() -> None:
    """The smallest counts as often as there are members, the next once less; never falling."""
    assert holm([0.04, 0.01, 0.03, 0.6]) == pytest.approx([0.09, 0.04, 0.09, 0.6])
    assert holm([]) == []
