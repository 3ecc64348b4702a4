"""The durability judge: good histories pass, and each kind of harm is caught and told apart."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from backends.store import Capabilities, No
from scenarios.durability import DurabilityFindings, DurabilityParameters, cases, judge
from scenarios.history import Event, State, Status
from scenarios.phases.disturb import Disturb, Disturbed
from scenarios.phases.workload import Workload

FAULT_AT_NS = 1_000
PHASE = Disturb(
    fault="crash",
    workload=Workload(mix={"issue": 1}),
    instances=1,
    connections=1,
    seconds=1.0,
    rate=1.0,
)
CLEAN = {
    "lost_sessions": 0,
    "resurrected_rotated": 0,
    "resurrected_revoked": 0,
    "lost_writes": 0,
    "loss_window_ns": 0,
    "loss_is_suffix": True,
    "recovered_unknown": 0,
    "phantoms": 0,
}


class Story:
    """A history written by hand, one line an operation; time passes by 10 ns between two."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(
        self,
        kind: Literal["issue", "rotate", "revoke"],
        family: str,
        generation: int = 0,
        *,
        digest: str | None = None,
        status: Status = "ok",
        outcome: str | None = None,
        at_ns: tuple[int, int] | None = None,
    ) -> "Story":
        """Add one operation, answered 5 ns after its invocation unless `at_ns` says otherwise."""
        begin_ns = 10 * (len(self.events) + 1)
        invoke_ns, return_ns = at_ns or (begin_ns, begin_ns + 5)
        if kind == "rotate" and status == "ok" and outcome is None:
            outcome = "rotated"
        self.events.append(
            Event(
                op=len(self.events),
                instance=0,
                family=family,
                kind=kind,
                generation=generation,
                digest=digest or f"{family}{generation}",
                invoke_ns=invoke_ns,
                return_ns=None if status == "unknown" else return_ns,
                status=status,
                outcome=outcome,
            )
        )
        return self

    def issue(self, family: str, **how: Any) -> "Story":
        return self.add("issue", family, 0, **how)

    def rotate(self, family: str, generation: int, **how: Any) -> "Story":
        return self.add("rotate", family, generation, **how)

    def revoke(self, family: str, generation: int = 0, **how: Any) -> "Story":
        return self.add("revoke", family, generation, **how)

    def found(self, **states: State | None) -> DurabilityFindings:
        """Judge it, given what the store says of each family afterwards."""
        return judge([disturbed(self.events, states)])


def disturbed(history: Sequence[Event], recovered: Mapping[str, State | None]) -> Disturbed:
    return Disturbed(
        phase=PHASE,
        history=history,
        fault_at_ns=FAULT_AT_NS,
        back_at_ns=FAULT_AT_NS + 500,
        recovered=recovered,
        integrity=None,
    )


def live(family: str, generation: int = 0) -> State:
    return State(generation=generation, digest=f"{family}{generation}", revoked=False)


def dead(family: str, generation: int = 0) -> State:
    return State(generation=generation, digest=f"{family}{generation}", revoked=True)


def harms(findings: DurabilityFindings) -> dict[str, object]:
    """Give what differs from a store that lost nothing."""
    return {
        name: value
        for name, value in findings.model_dump(include=set(CLEAN)).items()
        if value != CLEAN[name]
    }


def test_a_store_that_kept_all_is_clean() -> None:
    """Issued, rotated twice, revoked: all there."""
    story = Story().issue("a").rotate("a", 1).rotate("a", 2).issue("b").revoke("b").issue("c")
    findings = story.found(a=live("a", 2), b=dead("b"), c=live("c"))
    assert harms(findings) == {}
    assert (findings.acknowledged_issues, findings.acknowledged_rotations) == (3, 2)
    assert findings.acknowledged_revocations == 1
    assert (findings.fault, findings.recovery_ns, findings.unanswered) == ("crash", 500, 0)


def test_nothing_done_is_nothing_lost() -> None:
    """An empty history of an empty store."""
    assert harms(Story().found()) == {}


def test_an_acknowledged_session_that_is_gone_is_lost() -> None:
    """With all that was written to it; its neighbour isn't."""
    story = Story().issue("b").issue("a").rotate("a", 1)
    assert harms(story.found(a=None, b=live("b"))) == {
        "lost_sessions": 1,
        "lost_writes": 2,
        "loss_window_ns": FAULT_AT_NS - 25,
    }


def test_a_session_known_by_its_rotation_alone_is_lost_too() -> None:
    """Its issue was never answered, but a rotation was: the store had it."""
    story = Story().issue("a", status="unknown").rotate("a", 1)
    assert harms(story.found(a=None))["lost_sessions"] == 1


def test_a_rotated_token_that_is_good_again_is_resurrected() -> None:
    """The session is back at an older generation: not lost, worse."""
    story = Story().issue("a").rotate("a", 1).rotate("a", 2)
    assert harms(story.found(a=live("a", 1))) == {
        "resurrected_rotated": 1,
        "lost_writes": 1,
        "loss_window_ns": FAULT_AT_NS - 35,
    }


def test_a_lost_rotation_of_a_dead_session_harms_nobody() -> None:
    """The write is lost, but no token is good again."""
    story = Story().issue("a").rotate("a", 1).revoke("a", 1)
    found = harms(story.found(a=dead("a", 0)))
    assert found["lost_writes"] == 1
    assert "resurrected_rotated" not in found


def test_a_revoked_session_that_lives_again_is_resurrected() -> None:
    """The logout was acknowledged and is undone."""
    story = Story().issue("a").rotate("a", 1).revoke("a", 1)
    assert harms(story.found(a=live("a", 1))) == {
        "resurrected_revoked": 1,
        "lost_writes": 1,
        "loss_window_ns": FAULT_AT_NS - 35,
    }


def test_both_resurrections_are_told_apart() -> None:
    """One session may suffer both, and each is counted."""
    story = Story().issue("a").rotate("a", 1).revoke("a", 1)
    found = harms(story.found(a=live("a", 0)))
    assert (found["resurrected_rotated"], found["resurrected_revoked"]) == (1, 1)
    assert found["lost_writes"] == 2


def test_a_revoked_session_that_is_gone_is_not_resurrected() -> None:
    """Nobody can use what the store doesn't know; what it knew is lost all the same."""
    found = harms(Story().issue("a").revoke("a").found(a=None))
    assert found["lost_sessions"] == 1
    assert "resurrected_revoked" not in found


def test_a_rotation_that_met_reuse_is_a_revocation() -> None:
    """The family's death was acknowledged: kept it is no phantom, undone it is a resurrection."""
    story = Story().issue("a").rotate("a", 1).rotate("a", 2, digest="x", outcome="reused")
    kept = story.found(a=dead("a", 1))
    assert harms(kept) == {}
    assert (kept.acknowledged_rotations, kept.acknowledged_revocations) == (1, 1)
    assert harms(story.found(a=live("a", 1)))["resurrected_revoked"] == 1


@pytest.mark.parametrize("outcome", ["revoked", "unknown", "expired", "grace", "device_mismatch"])
def test_an_answer_that_wrote_nothing_can_lose_nothing(outcome: str) -> None:
    """Only a rotation that was answered ROTATED was acknowledged as written."""
    story = Story().issue("a").rotate("a", 1, outcome=outcome)
    findings = story.found(a=live("a", 0))
    assert harms(findings) == {}
    assert findings.acknowledged_rotations == 0


def test_an_unanswered_write_may_be_gone() -> None:
    """Nobody was told that it happened."""
    story = Story().issue("a").rotate("a", 1, status="unknown").issue("b", status="unknown")
    findings = story.found(a=live("a", 0), b=None)
    assert harms(findings) == {}
    assert findings.unanswered == 2


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (Story().issue("a", status="unknown"), live("a", 0)),
        (Story().issue("a").rotate("a", 1, status="unknown"), live("a", 1)),
        (Story().issue("a").revoke("a", status="unknown"), dead("a", 0)),
    ],
)
def test_an_unanswered_write_may_be_there(story: Story, state: State) -> None:
    """It was executed and its answer was lost: recovered, and no phantom."""
    assert harms(story.found(a=state)) == {"recovered_unknown": 1}


def test_an_unanswered_revocation_after_an_answered_one_proves_nothing() -> None:
    """The session is dead either way."""
    story = Story().issue("a").revoke("a").revoke("a", status="unknown")
    assert harms(story.found(a=dead("a"))) == {}


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (Story().issue("a"), State(generation=0, digest="other", revoked=False)),
        (Story().issue("a"), live("a", 1)),
        (Story().issue("a"), dead("a", 0)),
        (Story().issue("a", status="fail"), live("a", 0)),
        (Story().issue("a").rotate("a", 1, status="fail"), live("a", 1)),
        (Story().issue("a").revoke("a", status="fail"), dead("a", 0)),
        (Story().issue("a").rotate("a", 1, outcome="revoked"), live("a", 1)),
    ],
)
def test_a_state_that_nobody_wrote_is_a_phantom(story: Story, state: State) -> None:
    """Another digest or generation, or the effect of what was known not to be executed."""
    assert story.found(a=state).phantoms == 1


def test_a_session_that_nobody_issued_is_a_phantom() -> None:
    """A family that is in no line of the history."""
    assert harms(Story().issue("a").found(a=live("a"), z=live("z"))) == {"phantoms": 1}
    assert harms(Story().issue("a").found(a=live("a"), z=None)) == {}


def test_a_rotation_that_was_overwritten_is_lost() -> None:
    """At the same generation stands another's successor: the acknowledged one is gone."""
    story = Story().issue("a").rotate("a", 1).rotate("a", 1, digest="other", status="unknown")
    found = harms(story.found(a=State(generation=1, digest="other", revoked=False)))
    assert (found["lost_writes"], found["recovered_unknown"]) == (1, 1)


def test_the_loss_window_runs_from_the_first_lost_acknowledgement() -> None:
    """Of all families, to the fault."""
    story = Story().issue("a").issue("b").issue("c").issue("d")
    findings = story.found(a=live("a"), b=None, c=None, d=None)
    assert findings.loss_window_ns == FAULT_AT_NS - 25
    assert findings.loss_is_suffix


def test_a_loss_acknowledged_after_the_fault_has_no_window() -> None:
    """Killing takes a moment, in which the store may still answer."""
    story = Story().issue("a", at_ns=(FAULT_AT_NS - 5, FAULT_AT_NS + 5))
    assert harms(story.found(a=None)) == {"lost_sessions": 1, "lost_writes": 1}


def test_a_hole_in_the_middle_is_no_suffix() -> None:
    """What began after the first lost acknowledgement was kept: not the tail of a log."""
    story = Story().issue("a").issue("b").issue("c")
    findings = story.found(a=live("a"), b=None, c=live("c"))
    assert not findings.loss_is_suffix


def test_writes_that_overlapped_may_have_come_in_either_order() -> None:
    """What was kept began before the lost one was acknowledged: that can still be a suffix."""
    story = Story().issue("a", at_ns=(10, 50)).issue("b", at_ns=(20, 30))
    assert story.found(a=live("a"), b=None).loss_is_suffix
    assert story.found(a=None, b=live("b")).loss_is_suffix
    story = Story().issue("a", at_ns=(31, 50)).issue("b", at_ns=(20, 30))
    assert not story.found(a=live("a"), b=None).loss_is_suffix


def test_an_unanswered_write_that_was_kept_breaks_the_suffix_too() -> None:
    """It began after the lost one was acknowledged, and it is there."""
    story = Story().issue("a").issue("b", status="unknown")
    assert not story.found(a=None, b=live("b")).loss_is_suffix
    assert story.found(a=None, b=None).loss_is_suffix


def test_a_store_that_forgot_all_lost_all() -> None:
    """Server memory after a restart."""
    story = Story().issue("a").rotate("a", 1).issue("b").revoke("b")
    assert harms(story.found(a=None, b=None)) == {
        "lost_sessions": 2,
        "lost_writes": 4,
        "loss_window_ns": FAULT_AT_NS - 15,
    }


def test_what_was_not_looked_at_is_not_judged() -> None:
    """A family that the look afterwards left out is neither kept nor lost: it is undecided."""
    found = Story().issue("a").issue("b").found(a=live("a"))
    assert found.undecided == "ValueError: never looked at after the fault: b"


def test_the_stores_own_complaint_is_passed_on() -> None:
    """What amcheck or integrity_check said goes into the record."""
    seen = disturbed([], {})
    complaint = Disturbed(
        phase=PHASE,
        history=[],
        fault_at_ns=seen.fault_at_ns,
        back_at_ns=seen.back_at_ns,
        recovered={},
        integrity="index is torn",
    )
    assert judge([complaint]).integrity == "index is torn"


def test_each_fault_is_a_case_and_only_what_can_revoke_is_asked_to() -> None:
    """A trial is one fault; a store that can't revoke gets no revocations in its load."""
    parameters = DurabilityParameters(trials=7)
    revoking, stateless = (
        cases(parameters, Capabilities(revokes=able)) for able in (True, No("it can't"))
    )
    faults = ["restart", "crash", "powercut"]
    assert [(case.name, case.trials) for case in revoking] == [(name, 7) for name in faults]
    for case, revokes in ((revoking[0], True), (stateless[0], False)):
        [phase] = case.phases
        assert isinstance(phase, Disturb)
        assert (phase.workload.mix["revoke"] > 0) is revokes
