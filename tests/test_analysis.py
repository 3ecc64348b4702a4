"""Analysis: figures held against ones computed by hand."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from backends.store import Durability
from bench.analysis import Summary, summary
from bench.analysis.consistency import controls
from bench.analysis.estimate import estimate, zero_bound
from bench.analysis.latency import LatencyCell
from bench.analysis.limits import cores
from bench.errors import Failed
from bench.record import SubjectFacts, Trial, WorkerFacts
from scenarios.consistency import ConsistencyFindings, Races, Visibility
from scenarios.durability import DurabilityFindings
from scenarios.failover import FailoverFindings
from scenarios.histogram import value_ns
from scenarios.latency import LatencyFindings
from tests import records

BUCKET = 1 / 128


def subject(
    label: str, durability: Durability = Durability.POWER_CUT, **other: object
) -> SubjectFacts:
    plain = {"spec": label, "backend": label.partition(":")[0], "title": label, "lacking": {}}
    return SubjectFacts.model_validate({"label": label, "durability": durability, **plain, **other})


def latency_trial(
    label: str, repeat: int, values_us: Sequence[float], connections: int = 8, **cell: object
) -> Trial:
    """One trial that did nothing but rotate."""
    made = records.cell("rotate", connections, {"rotate": records.samples(values_us)}, **cell)
    return records.trial(label, "latency", "closed-loop", repeat, LatencyFindings(cells=[made]))


def summarised(facts: Sequence[SubjectFacts], trials: Sequence[Trial], **run: object) -> Summary:
    return summary(records.run_of(facts, trials, **run), trials)


def rotation(found: Summary, label: str, connections: int = 8) -> LatencyCell:
    cell = found.cell(label, "rotate", connections)
    assert cell is not None
    return cell


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


class TestEstimates:
    def test_five_trials_give_their_range_as_an_interval(self) -> None:
        """The median of five lies between the lowest and the highest 15 times in 16."""
        found = estimate([10.0, 30.0, 12.0, 13.0, 11.0])
        assert (found.value, found.low, found.high, found.method) == (12, 10, 30, "interval")
        assert found.each == [10, 30, 12, 13, 11]
        assert found.half_width == pytest.approx(10 / 12)

    def test_more_trials_narrow_it(self) -> None:
        """Of ten: between the second and the third, by the published weights (k=2, 0.658)."""
        found = estimate(list(range(10, 20)))
        assert (found.low, found.high) == pytest.approx((11.658, 17.342), abs=0.001)

    def test_few_trials_give_their_range(self) -> None:
        """Four trials: lowest and highest, and it says so."""
        found = estimate([3.0, 1.0, 2.0, 10.0])
        assert (found.value, found.low, found.high, found.method) == (2.5, 1, 10, "range")

    @pytest.mark.parametrize("values", [[7.0] * 6, [7.0, 7.0, 7.0, 7.0, 7.0, 8.0]])
    def test_trials_that_are_alike_stay_inside_their_range(self, values: list[float]) -> None:
        """No interval is wider than what was seen."""
        found = estimate(values)
        assert found.value == 7
        assert min(values) == found.low <= found.high <= max(values)

    def test_one_trial_says_so(self) -> None:
        """A single trial has no spread."""
        assert estimate([4.0]).method == "single"

    def test_zero_bound(self) -> None:
        """The rule that design states: n=59 is 5%, n=300 is 1%, one trial says next to nothing."""
        assert zero_bound(1) == pytest.approx(0.95)
        assert zero_bound(59) == pytest.approx(0.05, abs=0.001)
        assert zero_bound(300) == pytest.approx(0.01, abs=0.0002)


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


def fault_trial(label: str, repeat: int, fault: str = "crash", **figures: object) -> Trial:
    plain = {
        "fault": fault,
        "acknowledged_issues": 20,
        "acknowledged_rotations": 70,
        "acknowledged_revocations": 10,
        "lost_sessions": 0,
        "resurrected_rotated": 0,
        "resurrected_revoked": 0,
        "lost_writes": 0,
        "loss_window_ns": 0,
        "loss_is_suffix": True,
        "recovered_unknown": 0,
        "phantoms": 0,
        "unanswered": 0,
        "recovery_ns": 100 + repeat,
        "integrity": None,
    }
    found = DurabilityFindings.model_validate({**plain, **figures})
    return records.trial(label, "durability", fault, repeat, found)


class TestDurability:
    def test_trials_add_up(self) -> None:
        """Counts are sums, the window the longest, recovery a median."""
        trials = [
            fault_trial("a:x", 0, lost_writes=3, resurrected_rotated=2, loss_window_ns=50),
            fault_trial("a:x", 1),
            fault_trial("a:x", 2, lost_writes=1, loss_window_ns=80, integrity="page 3 is torn"),
        ]
        found = summarised([subject("a:x")], trials).fault("a:x", "crash")
        assert found is not None
        assert found.acknowledged == 300
        assert found.losses["lost_writes"].model_dump() == {
            "total": 4,
            "trials_with": 2,
            "bound": None,
            "share": pytest.approx((0.0943, 0.9916), abs=1e-4),
        }
        assert found.losses["resurrected_revoked"].bound == pytest.approx(1 - 0.05 ** (1 / 3))
        assert found.loss_window_ns == 80
        assert found.window_quantile == pytest.approx(0.05 ** (1 / 3))
        assert found.recovery is not None
        assert (found.recovery.median_ns, found.recovery.maximum_ns) == (101, 102)
        assert found.integrity == ["page 3 is torn"]

    def test_what_a_crashed_checker_saw_is_in_no_figure(self) -> None:
        """Its zeros aren't added to others', and a fault that it alone judged isn't kept."""
        crashed = {"undecided": "ValueError: never looked at"}
        trials = [
            fault_trial("a:x", 0),
            fault_trial("a:x", 1, **crashed),
            fault_trial("a:x", 0, fault="restart", **crashed),
        ]
        found = summarised([subject("a:x")], trials)
        crash = found.fault("a:x", "crash")
        assert crash is not None
        assert crash.trials == [trials[0].id]
        assert found.fault("a:x", "restart") is None
        assert found.absence("a:x", "restart") == "undecided"
        assert found.absence("a:x", "powercut") == "not measured"
        assert [one.trial for one in found.undecided] == [trial.id for trial in trials[1:]]

    def test_positive_controls_are_of_the_same_fault_and_harm(self) -> None:
        """Whoever loses on a crash proves nothing of a restart."""
        facts = [subject("a:x"), subject("b:y", Durability.NONE)]
        trials = [
            fault_trial("a:x", 0),
            fault_trial("b:y", 0, lost_writes=100, lost_sessions=20),
            fault_trial("a:x", 0, fault="restart"),
            fault_trial("b:y", 0, fault="restart"),
        ]
        controls = {
            (c.fault, c.harm): list(c.labels) for c in summarised(facts, trials).positive_controls
        }
        assert controls["crash", "lost_writes"] == ["b:y"]
        assert controls["crash", "resurrected_revoked"] == []
        assert controls["restart", "lost_writes"] == []

    def test_a_broken_promise_is_a_finding(self) -> None:
        """It declares to survive a crash and lost a write; who declares the loss is no finding."""
        honest = subject("b:y", Durability.RESTART, lacking={"survives_crash": "not synced"})
        trials = [fault_trial("a:x", 0, lost_writes=1), fault_trial("b:y", 0, lost_writes=9)]
        [found] = summarised([subject("a:x"), honest], trials).contradictions
        assert (found.label, found.capability) == ("a:x", "survives_crash")
        assert "lost 1 of 100 acknowledged writes in 1 of 1 trials of crash" in found.found


def failover_trial(label: str, lost_writes: int) -> Trial:
    fields = FailoverFindings.model_fields
    counts = dict.fromkeys([name for name, field in fields.items() if field.is_required()], 0)
    found = FailoverFindings.model_validate(
        {
            **counts,
            "strike": "partition",
            "means": "partition",
            "why_no_cut": None,
            "integrity": None,
            "seconds": 3.0,
            "took_over": True,
            "acknowledged": 100,
            "lost_writes": lost_writes,
        }
    )
    return records.trial(label, "failover", "partition-3s", 0, found)


class TestFailover:
    def test_a_loss_speaks_against_who_survives_a_failover(self) -> None:
        """Who declares it loses something contradicts nothing."""
        facts = [subject("a:x@t"), subject("b:y@t", lacking={"survives_failover": "lags"})]
        found = summarised(facts, [failover_trial(fact.label, 9) for fact in facts])
        [one] = found.contradictions
        assert (one.label, one.capability) == ("a:x@t", "survives_failover")
        assert "lost 9 of 100 acknowledged writes in 1 of 1 trials of partition, 3 s" in one.found


def consistency_trial(label: str, winners: Mapping[int, int], seen: int = 30) -> Trial:
    found = ConsistencyFindings(
        visibility=[
            Visibility(act="revoke", instances=4, looks=30, seen=seen, largest_delay_ns=500)
        ],
        races=[
            Races(
                instances=4,
                rounds=100,
                contested=sum(winners.values()),
                winners=dict(winners),
                outcomes={"rotated": 100},
            )
        ],
        errors={},
    )
    return records.trial(label, "consistency", "instances", 0, found)


class TestConsistency:
    def test_several_winners_are_double_spends(self) -> None:
        """Counted, with the most; a clean store gets the bound of zero."""
        facts = [subject("a:x"), subject("b:y")]
        trials = [consistency_trial("a:x", {1: 59}), consistency_trial("b:y", {1: 50, 2: 7, 4: 2})]
        found = summarised(facts, trials)
        clean, racy = found.races
        assert (clean.double_spends, clean.most_winners) == (0, 1)
        assert clean.bound == pytest.approx(0.05, abs=0.001)
        assert (racy.double_spends, racy.most_winners, racy.bound) == (9, 4, None)
        assert [one.capability for one in found.contradictions] == ["detects_reuse"]

    def test_who_cannot_revoke_is_not_blamed_for_a_revocation_unseen(self) -> None:
        """A cookie declares it, so nothing is contradicted."""
        cookie = subject("c:x", Durability.CLIENT, lacking={"revokes": "nothing to mark"})
        found = summarised([cookie], [consistency_trial("c:x", {1: 10}, seen=0)])
        assert found.contradictions == []

    def test_what_is_not_seen_speaks_against_a_shared_store(self) -> None:
        """One look of thirty did not see the revocation."""
        facts = [subject("a:x"), subject("b:y", lacking={"shared_by_processes": "apart"})]
        trials = [consistency_trial(f.label, {1: 10}, seen=29) for f in facts]
        found = summarised(facts, trials)
        assert [(one.seen, one.looks) for one in found.sightings] == [(29, 30), (29, 30)]
        assert [(c.label, c.capability) for c in found.contradictions] == [
            ("a:x", "shared_by_processes")
        ]


def races_of(contest: str, mishap: str, harm: Mapping[str, int], **other: Any) -> Races:
    return Races(
        instances=4,
        contest=contest,
        mishap=mishap,
        rounds=50,
        contested=40,
        winners={},
        outcomes={},
        anomalies=dict(harm),
        **other,
    )


class TestRaces:
    """Races that end sessions, and races amid mishaps."""

    FACTS = (subject("a:x"), subject("a-naive:x", naive=True))

    def found(self, mine: Races, naive: Races) -> Summary:
        trials = [
            records.trial(
                fact.label,
                "consistency",
                "instances",
                0,
                ConsistencyFindings(visibility=[], races=[races], errors={}),
            )
            for fact, races in zip(self.FACTS, (mine, naive), strict=True)
        ]
        return summarised(self.FACTS, trials)

    def test_a_zero_needs_somebody_who_lost_the_same_race(self) -> None:
        """Of the same kind amid the same mishap; another kind proves nothing."""
        clean = races_of("revoke", "none", {})
        for naive, expected in (
            (races_of("revoke", "none", {"alive after revoke": 3}), ["a-naive:x"]),
            (races_of("logout-all", "none", {"alive after revoke": 3}), []),
            (races_of("revoke", "paused server", {"alive after revoke": 3}), []),
            (races_of("revoke", "none", {"false alarm": 3}), []),
        ):
            races = self.found(clean, naive).other_races
            assert controls(races[0], races) == expected

    def test_harm_is_told_from_false_alarm(self) -> None:
        """A session that outlived its end, or several holders; a refusal is neither."""
        found = self.found(
            races_of("rotate", "lost answers", {"false alarm": 10}),
            races_of("logout-all", "none", {"alive after revoke": 2, "real-time order": 1}),
        )
        mine, naive = found.other_races
        assert (mine.harmed, mine.false_alarms) == (0, 10)
        assert mine.bound == pytest.approx(zero_bound(40))
        assert (naive.harmed, naive.bound) == (3, None)

    def test_a_mishap_that_never_happened_is_no_race_amid_it(self) -> None:
        """It says so in place of a zero; where it happened once, the zero counts."""
        found = self.found(
            races_of("rotate", "paused server", {}),
            races_of("rotate", "paused server", {}, mishaps=1),
        )
        without, once = found.other_races
        assert "never did" in without.unsuited
        assert once.unsuited == ""

    def test_what_is_there_to_lose_is_no_finding_and_is_compared_with_nobody(self) -> None:
        """A naive way contradicts nothing and stands in no class."""
        harm = {"alive after revoke": 3}
        found = self.found(races_of("revoke", "none", harm), races_of("revoke", "none", harm))
        assert [(one.label, one.capability) for one in found.contradictions] == [("a:x", "revokes")]
        assert [s.label for _, members in found.by_class() for s in members] == ["a:x"]

    def test_the_search_is_added_up(self) -> None:
        """With what it could not decide."""
        orders = {"linearizable": 8, "undecided": 2}
        races = races_of("revoke", "none", {}, orders=orders, disagreements=1)
        [mine, _] = self.found(races, races).other_races
        assert (mine.orders, mine.disagreements) == (orders, 1)


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


class TestRecordsThatAreOdd:
    @pytest.mark.parametrize("scenario", ["latency", "durability", "consistency"])
    def test_damaged_findings_are_one_line(self, scenario: str) -> None:
        """It names the trial, the field and the mend."""
        trial = fault_trial("a:x", 0).model_copy(
            update={"scenario": scenario, "findings": {"cells": 3}}
        )
        with pytest.raises(Failed) as caught:
            summarised([subject("a:x")], [trial])
        text = str(caught.value)
        assert trial.id in text
        assert "--resume" in text
        assert "\n" not in text

    def test_a_trial_of_an_unknown_subject_is_refused(self) -> None:
        """run.json and trials.jsonl don't belong together."""
        with pytest.raises(Failed, match=r"'b:y', which run\.json doesn't name"):
            summarised([subject("a:x")], [fault_trial("b:y", 0)])

    def test_a_trial_recorded_twice_is_refused(self) -> None:
        """It would count double."""
        with pytest.raises(Failed, match="recorded twice"):
            summarised([subject("a:x")], [fault_trial("a:x", 0), fault_trial("a:x", 0)])

    def test_a_scenario_of_another_version_is_named(self) -> None:
        """Its trials are left out, and that is said."""
        trial = fault_trial("a:x", 0).model_copy(update={"scenario": "storm"})
        assert summarised([subject("a:x")], [trial]).unknown_scenarios == ["storm"]

    def test_failed_and_missing_trials_are_counted(self) -> None:
        """A failed trial gives its reason and no figures."""
        died = fault_trial("a:x", 0).model_copy(
            update={"status": "failed", "error": "it died", "findings": {}}
        )
        planned = records.run_of([subject("a:x")], [died, fault_trial("a:x", 1)])
        found = summary(planned, [died])
        assert (found.planned, found.finished) == (2, 0)
        assert [one.error for one in found.failed] == ["it died"]
        assert found.faults == []


def test_the_summary_is_json() -> None:
    """`--json` prints it: it comes back as it went, but for histograms, which the record has."""
    run, trials = records.example()
    found = summary(run, trials)
    text = found.model_dump_json()
    assert "latency_ns" not in text
    back = Summary.model_validate_json(text)
    assert json.loads(back.model_dump_json()) == json.loads(text)
    assert back.cells[0].throughput == found.cells[0].throughput


def test_summary_does_not_wait_for_what_draws() -> None:
    """A terminal's table must not import matplotlib, pandas or jinja2; scipy only at need."""
    code = (
        "import sys, bench.analysis, bench.report;"
        "print([m for m in ('matplotlib', 'pandas', 'scipy', 'jinja2') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "[]"


def test_the_synthetic_run_uses_the_real_buckets() -> None:
    """A sample of 100 µs comes back as 100 µs, or nothing above means what it says."""
    [bucket] = records.samples([100.0]).latency_ns
    assert value_ns(bucket) == pytest.approx(100_000, rel=BUCKET)
