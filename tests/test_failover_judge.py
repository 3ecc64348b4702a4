"""The judges of failover and staleness: what each harm looks like, and what is none."""

from typing import Any

import pytest

from backends.store import Capabilities, No
from scenarios import failover, staleness
from scenarios.history import Event, State, Status
from scenarios.phases.failover import MAJORITY, WITH_PRIMARY, FailedOver, Failover
from scenarios.phases.stale import Stale, Watched, Watching
from scenarios.phases.workload import Workload

STRUCK_NS, HEALED_NS, SETTLED_NS = 100, 200, 250
PHASE = Failover(
    strike="partition",
    workload=Workload(mix={"rotate": 1}),
    connections=1,
    before_seconds=1.0,
    seconds=3.0,
    through_failover=True,
    rate=1.0,
    shared=1,
)


def event(op: int, side: int, kind: Any, generation: int, at_ns: int, **how: Any) -> Event:
    status: Status = how.pop("status", "ok")
    return Event(
        op=op,
        instance=side,
        family=how.pop("family", "f"),
        kind=kind,
        generation=generation,
        digest=how.pop("digest", f"d{generation}"),
        presented=how.pop("presented", f"d{generation - 1}" if kind == "rotate" else ""),
        invoke_ns=at_ns,
        return_ns=how.pop("until_ns", None if status == "unknown" else at_ns + 5),
        status=status,
        outcome=how.pop("outcome", "rotated" if kind == "rotate" else None),
    )


def judged(*events: Event, found: State | None, **how: Any) -> failover.FailoverFindings:
    return failover.judge(
        [
            FailedOver(
                phase=PHASE,
                means=how.get("means", "partition"),
                why_no_cut=how.get("why_no_cut"),
                history=events,
                struck_ns=STRUCK_NS,
                healed_ns=HEALED_NS,
                took_over=how.get("took_over", True),
                settled_ns=SETTLED_NS,
                recovered={"f": found, **how.get("others", {})},
                integrity=None,
            )
        ]
    )


ISSUED = event(1, MAJORITY, "issue", 0, 10)


def test_what_the_old_primary_acknowledged_and_is_gone_is_lost() -> None:
    """The session is back at the token from before: whoever stole that one is let in again."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110),
        found=State(generation=0, digest="d0", revoked=False),
    )
    assert found.acknowledged == 2
    assert found.acknowledged_by_old == 1
    assert found.lost_writes == found.resurrected_rotated == 1
    assert (found.outage_ns, found.outage_over) == (HEALED_NS - STRUCK_NS, False)


def test_a_token_that_both_sides_rotated_was_spent_twice() -> None:
    """Both were told that they hold the session; when the sides have met, one of them does."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110, digest="old side"),
        event(3, MAJORITY, "rotate", 1, 130, digest="new side"),
        found=State(generation=1, digest="new side", revoked=False),
    )
    assert (found.double_spends, found.shown_on_both_sides, found.lost_writes) == (1, 1, 1)
    assert (found.struck_ns, found.outage_ns, found.outage_over) == (STRUCK_NS, 35, True)


@pytest.mark.parametrize(("at_ns", "expected"), [(150, True), (HEALED_NS + 1, False)])
def test_who_served_the_majority_has_taken_over(at_ns: int, *, expected: bool) -> None:
    """Nobody else serves what was in vain: whoever asked at that moment may have missed it."""
    found = judged(
        ISSUED,
        event(2, MAJORITY, "rotate", 1, 110, status="fail", outcome="NotSent"),
        event(3, MAJORITY, "rotate", 1, at_ns),
        found=State(generation=1, digest="d1", revoked=False),
        took_over=False,
    )
    assert found.took_over is expected


def test_a_majority_that_missed_nothing_has_not_seen_a_takeover() -> None:
    """A cluster's other thirds are served before the heal whether anybody took over or not."""
    found = judged(
        ISSUED,
        event(2, MAJORITY, "rotate", 1, 110),
        found=State(generation=1, digest="d1", revoked=False),
        took_over=False,
    )
    assert not found.took_over


def test_what_fails_on_the_cut_off_side_is_no_outage_of_the_majority() -> None:
    """Those who are with the old primary have lost whoever the majority chooses."""
    found = judged(
        ISSUED,
        event(2, MAJORITY, "rotate", 1, 110),
        event(3, WITH_PRIMARY, "rotate", 2, 130, status="fail", outcome="NotSent"),
        found=State(generation=1, digest="d1", revoked=False),
    )
    assert (found.outage_ns, found.outage_over) == (15, True)


def test_a_refusal_on_one_side_is_no_double_spend() -> None:
    """Reuse that the store sees ends the family: that is what it is for."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110),
        event(3, MAJORITY, "rotate", 1, 130, digest="late", outcome="reused"),
        found=State(generation=1, digest="d1", revoked=True),
    )
    assert (found.double_spends, found.shown_on_both_sides, found.lost_writes) == (0, 1, 0)


def test_what_was_not_acknowledged_is_not_lost() -> None:
    """Unanswered and refused calls promised nothing."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110, status="unknown", outcome="AnswerLost"),
        event(3, MAJORITY, "rotate", 1, 130, digest="x", status="fail", outcome="NotSent"),
        found=State(generation=0, digest="d0", revoked=False),
    )
    assert found.lost_writes == found.double_spends == found.shown_on_both_sides == 0
    assert (found.unanswered, found.refused) == (1, 1)


def test_an_unanswered_rotation_may_arrive_late_and_end_the_family() -> None:
    """It meets a token that another has rotated since: the end of the family is no phantom."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110, status="unknown", outcome="AnswerLost"),
        event(3, MAJORITY, "rotate", 1, 130, digest="new side"),
        found=State(generation=1, digest="new side", revoked=True),
    )
    assert found.phantoms == 0


def test_an_end_that_nothing_explains_is_a_phantom() -> None:
    """Nobody revoked, and no second rotation of a token was under way."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110, status="unknown", outcome="AnswerLost"),
        found=State(generation=1, digest="d1", revoked=True),
    )
    assert found.phantoms == 1


def test_a_pause_in_place_of_a_partition_is_labelled() -> None:
    """What was really done is in the findings, and why."""
    found = judged(
        ISSUED,
        found=State(generation=0, digest="d0", revoked=False),
        means="pause",
        why_no_cut="not root",
    )
    assert (found.strike, found.means, found.why_no_cut) == ("partition", "pause", "not root")


def test_only_long_partitions_wait_for_a_new_primary() -> None:
    """A short one ends when it ends: that nobody took over is its result."""
    parameters = failover.FailoverParameters(trials=1, partitions=(0.5, 4.0), kills=())
    phases = [case.phases[0] for case in failover.cases(parameters, Capabilities())]
    assert [phase.through_failover for phase in phases if isinstance(phase, Failover)] == [
        False,
        True,
    ]


def test_staleness_lists_each_revocation_and_the_longest_gap() -> None:
    """What was never acknowledged or never seen is counted apart, not as zero."""
    phase = Stale(rounds=4, workload=Workload(mix={"rotate": 1}), connections=1, rate=1.0)
    watched = [Watched(accepted_ns=0, gap_ns=3), Watched(accepted_ns=70, gap_ns=9)]
    found = staleness.judge([Watching(phase=phase, watched=watched, unacknowledged=1, never=1)])
    assert found.accepted_ns == [0, 70]
    assert (found.largest_gap_ns, found.unacknowledged, found.never) == (9, 1, 1)


def test_a_store_that_cannot_revoke_is_not_asked_for_staleness() -> None:
    """There is nothing to be seen late."""
    parameters = staleness.StalenessParameters(trials=1)
    assert staleness.cases(parameters, Capabilities(revokes=No("stateless"))) == []


def test_a_logout_that_the_new_primary_does_not_know_is_a_contradiction() -> None:
    """A client was let in after its logout had been acknowledged; looking isn't writing."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "revoke", 0, 110),
        event(3, MAJORITY, "verify", 0, 130, presented="d0", outcome="valid"),
        found=State(generation=0, digest="d0", revoked=False),
    )
    assert found.anomalies == {"alive after revoke": 1}
    assert found.undecided == {}
    assert (found.acknowledged, found.acknowledged_by_old, found.outage_over) == (2, 1, False)
    assert found.resurrected_revoked == 1


def test_an_acknowledged_rotation_that_is_not_there_is_a_contradiction() -> None:
    """The new primary never heard of the token that its user was given."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 110),
        event(3, MAJORITY, "rotate", 2, 130, outcome="unknown"),
        found=State(generation=0, digest="d0", revoked=False),
    )
    assert found.anomalies == {"real-time order": 1}
    assert (found.orders, found.disagreements) == ({"not linearizable": 1}, 0)


def test_a_fault_that_nobody_noticed_contradicts_nothing() -> None:
    """One path, refusals after the logout, no checker at a loss."""
    found = judged(
        ISSUED,
        event(2, WITH_PRIMARY, "rotate", 1, 50),
        event(3, MAJORITY, "revoke", 1, 130),
        event(4, MAJORITY, "verify", 1, 150, presented="d1", outcome="revoked"),
        found=State(generation=1, digest="d1", revoked=True),
    )
    assert (found.anomalies, found.undecided, found.lost_writes) == ({}, {}, 0)
    assert (found.orders, found.disagreements) == ({"linearizable": 1}, 0)


def test_a_checker_that_crashes_is_no_pass() -> None:
    """What was lost is unknown then, and says why; what the others found is kept."""
    found = judged(
        ISSUED,
        event(2, MAJORITY, "issue", 0, 110, family="never looked at"),
        event(3, WITH_PRIMARY, "rotate", 1, 110, digest="old side"),
        event(4, MAJORITY, "rotate", 1, 130, digest="new side"),
        found=State(generation=1, digest="new side", revoked=False),
    )
    assert "never looked at after the fault" in found.undecided["losses"]
    assert found.double_spends == 1
