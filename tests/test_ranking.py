"""Which cells are ranked, in what order, and which are not."""

from collections.abc import Mapping
from typing import Any

import pytest

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.limits import cores
from bench.record import WorkerFacts
from scenarios.latency import LatencyFindings
from tests import records
from tests.summaries import latency_trial, rotation, subject, summarised


def pair(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    *,
    trials: int = 5,
    environment: Mapping[str, object] | None = None,
) -> Summary:
    """Two subjects of one class; `values` of each trial spread by 1% around what is given."""
    facts = [subject("a:x"), subject("b:y")]
    made = []
    for fact, given in zip(facts, (first, second), strict=True):
        us = given["us"]
        made += [
            latency_trial(
                fact.label,
                n,
                [us * (1 + n / 100)] * 500,
                **{key: value for key, value in given.items() if key != "us"},
            )
            for n in range(trials)
        ]
    return summarised(facts, made, **({"environment": environment} if environment else {}))


class TestLimits:
    def test_a_busy_client_is_marked_and_not_ranked(self) -> None:
        """More than 80% of the one core that a process can use."""
        found = pair({"us": 10.0, "client_cpu_ns": 85_000_000}, {"us": 50.0})
        assert "85%" in rotation(found, "a:x").why["generator-limited"]
        assert not rotation(found, "a:x").ranks
        assert "generator-limited" not in rotation(found, "b:y").why

    def test_it_is_a_share_of_each_process(self) -> None:
        """The same CPU over two worker processes leaves each of them idle time."""
        found = pair({"us": 10.0, "client_cpu_ns": 85_000_000, "processes": 2}, {"us": 50.0})
        assert "generator-limited" not in rotation(found, "a:x").why

    def test_a_busy_machine_is_marked(self) -> None:
        """Idle clients, but clients and server together take more than 90% of two cores."""
        busy = {"us": 10.0, "client_cpu_ns": 60_000_000, "server_cpu_ns": 125_000_000}
        assert "machine" in rotation(pair(busy, {"us": 50.0}), "a:x").why["generator-limited"]
        eight = {"cpu": {"cores": 8}}
        found = pair(busy, {"us": 50.0}, environment=eight)
        assert "generator-limited" not in rotation(found, "a:x").why

    def test_a_store_in_the_client_is_told_as_such(self) -> None:
        """Its own work is the client's CPU."""
        inside = {"us": 10.0, "client_cpu_ns": 95_000_000, "server_cpu_ns": None}
        why = rotation(pair(inside, {"us": 50.0}), "a:x").why["generator-limited"]
        assert "in which the store itself runs" in why

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({"cpu": {"cores": 4}}, 4),
            ({"cpu": {"cores": 64, "usable": 1.5}}, 1.5),
            ({"cores": 2}, 2),
            ({"cpu": "fast"}, None),
            ({}, None),
        ],
    )
    def test_cores_are_found_or_unknown(
        self, environment: dict[str, object], expected: float | None
    ) -> None:
        """What the process may use goes before what the machine has."""
        assert cores(environment) == expected

    def test_clients_of_another_machine_take_nothing_of_this_one(self) -> None:
        """Two cores busy with clients alone: too busy if they are this machine's, else nobody's."""
        busy = {"processes": 3, "client_cpu_ns": 190_000_000, "server_cpu_ns": 0}
        facts = [subject("a:x")]
        cell = records.cell("rotate", 8, {"rotate": records.samples([50.0] * 500)}, **busy)
        made = LatencyFindings(cells=[cell])
        here = [records.trial("a:x", "latency", "closed-loop", n, made) for n in range(5)]
        workers = [WorkerFacts(host=1, clock_offset_ns=9, clock_error_ns=1, same_clock=False)]
        there = [trial.model_copy(update={"workers": workers}) for trial in here]
        near, far = (rotation(summarised(facts, trials), "a:x") for trials in (here, there))
        assert "of the machine's cores" in near.why["generator-limited"]
        assert far.machine_share is None
        assert not far.why

    def test_a_cell_that_mostly_fails_is_not_ranked(self) -> None:
        """Refusing is quick."""
        quick = records.samples([1.0] * 500).model_copy(update={"errors": {"StoreRefused": 50}})
        made = LatencyFindings(cells=[records.cell("rotate", 8, {"rotate": quick})])
        facts = [subject("a:x"), subject("b:y")]
        trials = [records.trial("a:x", "latency", "closed-loop", n, made) for n in range(5)]
        trials += [latency_trial("b:y", n, [50.0] * 500) for n in range(5)]
        cell = rotation(summarised(facts, trials), "a:x")
        assert "250 of 2,750 calls failed: StoreRefused 250 times" in cell.why["errors"]
        assert not cell.ranks


class TestRanks:
    def test_the_better_is_first(self) -> None:
        """Shorter for latency, more for throughput."""
        found = pair({"us": 10.0}, {"us": 50.0, "elapsed_ns": 50_000_000})
        one, other = rotation(found, "a:x"), rotation(found, "b:y")
        assert (one.ranks["p99"].place, other.ranks["p99"].place) == (1, 2)
        assert (one.ranks["throughput"].place, other.ranks["throughput"].place) == (2, 1)
        assert not one.ranks["p99"].tie

    def test_never_across_classes(self) -> None:
        """Two subjects of two classes: nobody is ranked."""
        facts = [subject("a:x"), subject("b:y", Durability.NONE)]
        trials = [latency_trial(f.label, n, [10.0 + n] * 500) for f in facts for n in range(5)]
        found = summarised(facts, trials)
        assert [cell.ranks for cell in found.cells] == [{}, {}]

    def test_one_trial_is_not_ranked(self) -> None:
        """It has no spread to be judged by."""
        found = pair({"us": 10.0}, {"us": 50.0}, trials=1)
        assert not rotation(found, "a:x").ranks
        assert "one trial" in rotation(found, "a:x").why

    def test_what_may_be_chance_is_a_tie(self) -> None:
        """Medians differ, but one subject's trials lie among the other's."""
        facts = [subject("a:x"), subject("b:y")]
        wide = [latency_trial("a:x", n, [10.0 + 10 * n] * 500) for n in range(4)]
        narrow = [latency_trial("b:y", n, [20.0 + n] * 500) for n in range(4)]
        found = summarised(facts, [*wide, *narrow])
        assert rotation(found, "a:x").ranks["p50"] == rotation(found, "b:y").ranks["p50"]
        assert rotation(found, "a:x").ranks["p50"].tie

    def controlled(self, again: float) -> Summary:
        facts = [
            subject("a:x"),
            subject("b:y"),
            subject("a:x (again)", spec="a:x", backend="a", control=True),
        ]
        medians = {"a:x": 100.0, "b:y": 110.0, "a:x (again)": again}
        trials = [
            latency_trial(label, n, [us + n / 100] * 500)
            for label, us in medians.items()
            for n in range(5)
        ]
        return summarised(facts, trials)

    def test_a_gap_inside_the_noise_is_a_tie(self) -> None:
        """The control is 20% off, so 10% between two subjects means nothing."""
        found = self.controlled(again=120.0)
        noise = {n.metric: n.gap for n in found.noise}
        assert noise["p99"] == pytest.approx(0.2, rel=0.05)
        assert rotation(found, "a:x").ranks["p99"].tie
        assert rotation(found, "b:y").ranks["p99"].tie

    def test_a_gap_beyond_the_noise_is_a_rank(self) -> None:
        """The control is 2% off, so 10% counts; the control's second half is never ranked."""
        found = self.controlled(again=102.0)
        assert rotation(found, "a:x").ranks["p99"].model_dump() == {
            "place": 1, "of": 2, "tie": False,
        }  # fmt: skip
        assert rotation(found, "b:y").ranks["p99"].place == 2
        assert rotation(found, "a:x (again)").ranks == {}

    def test_small_steps_do_not_tie_the_best_with_the_worst(self) -> None:
        """Each is inside the noise of its neighbour alone; better beyond doubt are 0, 0, 1, 2."""
        labels = ["a:x", "b:x", "c:x", "d:x"]
        facts = [*map(subject, labels), subject("a:x (again)", spec="a:x", control=True)]
        us = {"a:x": 100.0, "b:x": 108.0, "c:x": 117.0, "d:x": 126.0, "a:x (again)": 110.0}
        trials = [
            latency_trial(label, n, [value + n / 100] * 500)
            for label, value in us.items()
            for n in range(5)
        ]
        found = summarised(facts, trials)
        assert [rotation(found, label).ranks["p50"].place for label in labels] == [1, 1, 2, 3]
