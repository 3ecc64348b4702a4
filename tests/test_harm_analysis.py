"""Analysis of faults and races: what was lost, whom that speaks against, what a zero is worth."""

from collections.abc import Mapping
from typing import Any

import pytest

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.consistency import controls
from bench.analysis.estimate import zero_bound
from bench.record import Trial
from scenarios.consistency import ConsistencyFindings, Races
from scenarios.failover import FailoverFindings
from tests import records
from tests.summaries import consistency_trial, fault_trial, subject, summarised


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
