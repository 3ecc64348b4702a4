"""The checkers and the search for an order, held to each other."""

from collections.abc import Sequence

import pytest

from scenarios.checkers.cross_check import cross_check
from scenarios.checkers.judgement import judge
from scenarios.checkers.linearizable import Found
from scenarios.history import Event


def rotated(op: int, digest: str, begin_ns: int) -> Event:
    """Give a successful rotation of the issued token."""
    return Event(
        op=op, instance=0, family="f", kind="rotate", generation=1, digest=digest,
        invoke_ns=begin_ns, return_ns=begin_ns + 1, status="ok", outcome="rotated", presented="d0",
    )  # fmt: skip


ISSUED = Event(
    op=0, instance=0, family="f", kind="issue", generation=0, digest="d0",
    invoke_ns=0, return_ns=1, status="ok", outcome=None,
)  # fmt: skip
SPENT_TWICE = [ISSUED, rotated(1, "d1", 10), rotated(2, "e1", 20)]
SPENT_ONCE = [ISSUED, rotated(1, "d1", 10)]


def test_a_checker_that_is_blind_or_wrong_is_found_out() -> None:
    """The search finds no order where it accuses nobody, and one where it accuses."""
    both = {"twice": SPENT_TWICE, "once": SPENT_ONCE}
    assert cross_check(both, {"twice"}, decided=True).disagreements == 0
    assert cross_check(both, set(), decided=True).disagreements == 1
    assert cross_check(both, {"twice", "once"}, decided=True).disagreements == 1
    assert cross_check(both, {"once"}, decided=True) == (
        {"not linearizable": 1, "linearizable": 1},
        2,
        "",
    )


def test_who_is_accused_by_nobody_is_innocent_only_if_every_checker_decided() -> None:
    """A checker that crashed may have been the one to accuse; one that accused has said so."""
    both = {"twice": SPENT_TWICE, "once": SPENT_ONCE}
    assert cross_check(both, set(), decided=False).disagreements == 0
    assert cross_check(both, {"twice", "once"}, decided=False).disagreements == 1


def test_a_search_that_crashes_has_decided_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why, and the findings of the checkers are kept."""

    def crash(events: Sequence[Event], most_tried: int) -> Found:
        raise KeyError("lost")

    monkeypatch.setattr("scenarios.checkers.cross_check.search", crash)
    found = judge(SPENT_TWICE, {"f": SPENT_TWICE})
    assert found.anomalies == {"double spend": 1}
    assert found.undecided == {"search for an order": "KeyError: 'lost'"}
    assert (found.orders, found.disagreements) == ({"undecided": 1}, 0)


def test_a_search_that_came_to_no_end_disagrees_with_nobody() -> None:
    """Many unanswered rotations at once leave too many orders to try."""
    open_ended = [
        Event(
            op=op, instance=0, family="f", kind="rotate", generation=1, digest=f"d{op}",
            invoke_ns=2, return_ns=None, status="unknown", outcome=None, presented="d0",
        )
        for op in range(1, 40)
    ]  # fmt: skip
    impossible = [ISSUED, *open_ended, rotated(50, "x", 10), rotated(51, "y", 10)]
    found = cross_check({"f": impossible}, set(), decided=True)
    assert (found.orders, found.disagreements) == ({"undecided": 1}, 0)
