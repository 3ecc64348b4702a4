"""Analysis of latency: figures held against ones computed by hand."""

import numpy as np
import pytest

from backends.store import Durability
from scenarios.histogram import value_ns
from scenarios.latency import LatencyFindings
from tests import records
from tests.summaries import BUCKET, latency_trial, rotation, subject, summarised


class TestPercentiles:
    def test_they_come_from_all_samples_together(self) -> None:
        """One slow trial of four moves the merged p99 to its own, where an average would not."""
        fast, slow = [100.0] * 1_000, [10_000.0] * 1_000
        trials = [latency_trial("a:x", n, slow if n == 3 else fast) for n in range(4)]
        cell = rotation(summarised([subject("a:x")], trials), "a:x")
        assert cell.percentiles_ns["99"] == pytest.approx(10_000_000, rel=BUCKET)
        assert cell.percentiles_ns["50"] == pytest.approx(100_000, rel=BUCKET)
        assert cell.p99_ns is not None
        assert cell.p99_ns.value == pytest.approx(100_000, rel=BUCKET)
        assert cell.operations == 4_000

    def test_unequal_trials_weigh_by_their_samples(self) -> None:
        """900 slow samples of one trial outweigh the 100 fast ones of two."""
        trials = [
            latency_trial("a:x", 0, [900.0] * 900),
            latency_trial("a:x", 1, [100.0] * 50),
            latency_trial("a:x", 2, [100.0] * 50),
        ]
        cell = rotation(summarised([subject("a:x")], trials), "a:x")
        assert cell.percentiles_ns["50"] == pytest.approx(900_000, rel=BUCKET)
        assert cell.p50_ns is not None
        assert cell.p50_ns.value == pytest.approx(100_000, rel=BUCKET)

    def test_a_percentile_that_samples_cannot_carry_is_none(self) -> None:
        """p99.9 needs a thousand samples."""
        few = summarised([subject("a:x")], [latency_trial("a:x", n, [5.0] * 199) for n in range(5)])
        assert rotation(few, "a:x").percentiles_ns["99.9"] is None
        enough = summarised(
            [subject("a:x")], [latency_trial("a:x", n, [5.0] * 200) for n in range(5)]
        )
        assert rotation(enough, "a:x").percentiles_ns["99.9"] is not None

    def test_a_trial_too_small_for_p99_leaves_no_interval(self) -> None:
        """To leave such a trial out would leave the slowest one out."""
        trials = [latency_trial("a:x", n, [5.0] * (99 if n == 0 else 500)) for n in range(5)]
        cell = rotation(summarised([subject("a:x")], trials), "a:x")
        assert cell.p99_ns is None
        assert cell.percentiles_ns["99"] is not None


class TestCells:
    def test_throughput_and_cpu(self) -> None:
        """500 operations in 0.1 s are 5,000 a second; 20 ms of server CPU are 40 µs each."""
        trials = [latency_trial("a:x", n, [10.0] * 500) for n in range(3)]
        cell = rotation(summarised([subject("a:x")], trials), "a:x")
        assert cell.throughput.value == pytest.approx(5_000)
        assert cell.client_cpu_us == pytest.approx(20)
        assert cell.server_cpu_us is not None
        assert cell.server_cpu_us.value == pytest.approx(40)
        assert cell.core_capacity == pytest.approx(25_000)
        assert cell.server_rss_bytes == 30_000_000
        assert cell.trials == [one.id for one in trials]

    def test_a_mix_has_its_whole_and_its_parts(self) -> None:
        """The whole carries CPU; a part can't be told apart in it."""
        mix = {"issue": records.samples([5.0] * 100), "rotate": records.samples([9.0] * 300)}
        made = LatencyFindings(cells=[records.cell("mixed", 8, mix)])
        trials = [records.trial("a:x", "latency", "closed-loop", n, made) for n in range(2)]
        found = summarised([subject("a:x")], trials)
        parts = {cell.operation: cell for cell in found.cells}
        assert parts["all"].operations == 800
        assert parts["all"].throughput.value == pytest.approx(4_000)
        assert parts["all"].client_cpu_us == pytest.approx(25)
        assert parts["rotate"].throughput.value == pytest.approx(3_000)
        assert parts["rotate"].client_cpu_us is None

    def test_a_cell_without_one_success_is_told(self) -> None:
        """All calls failed: no latency, but the errors are there."""
        samples = records.samples([1.0]).model_copy(
            update={"latency_ns": {}, "errors": {"StoreUnavailable": 7}}
        )
        made = LatencyFindings(cells=[records.cell("rotate", 8, {"rotate": samples})])
        found = summarised(
            [subject("a:x")], [records.trial("a:x", "latency", "closed-loop", 0, made)]
        )
        assert found.cells == []
        assert found.nothing_done[0].errors == {"StoreUnavailable": 7}

    def test_the_client_holds_what_cannot_be_timed(self) -> None:
        """A cookie's cell is n/a, and never ranked."""
        facts = [subject("cookie:signed", Durability.CLIENT), subject("c:y", Durability.CLIENT)]
        trials = [latency_trial(f.label, n, [1.0] * 200) for f in facts for n in range(5)]
        cell = rotation(summarised(facts, trials), "cookie:signed")
        assert "n/a" in cell.why
        assert not cell.ranks


class TestTokens:
    def test_their_share_of_a_refresh(self) -> None:
        """Rotation at the fewest connections, plus minting and parsing; no cookie."""
        facts = [subject("a:x"), subject("cookie:signed", Durability.CLIENT)]
        trials = [
            latency_trial(fact.label, n, [us] * 100, connections)
            for fact in facts
            for n in range(2)
            for connections, us in ((1, 75.0), (8, 300.0))
        ]
        for number, one in enumerate(trials):
            trials[number] = one.model_copy(update={"id": f"{one.id}/{number}"})
        token = records.tokens(np.random.default_rng(1))[0].model_copy(
            update={
                "mint_ns": records.samples([10.0] * 100).latency_ns,
                "parse_ns": records.samples([15.0] * 100).latency_ns,
            }
        )
        [share] = summarised(facts, trials, tokens=[token]).refreshes
        assert share.label == "a:x"
        assert share.connections == 1
        assert share.total_ns == pytest.approx(100_000, rel=BUCKET)
        assert share.share == pytest.approx(0.25, rel=2 * BUCKET)


def test_the_synthetic_run_uses_the_real_buckets() -> None:
    """A sample of 100 µs comes back as 100 µs, or nothing above means what it says."""
    [bucket] = records.samples([100.0]).latency_ns
    assert value_ns(bucket) == pytest.approx(100_000, rel=BUCKET)
