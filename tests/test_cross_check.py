"""The checkers and the search for an order, held to each other."""

from scenarios.checkers.cross_check import cross_check
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
    assert cross_check(both, {"twice"}).disagreements == 0
    assert cross_check(both, set()).disagreements == 1
    assert cross_check(both, {"twice", "once"}).disagreements == 1
    assert cross_check(both, {"once"}) == (
        {"not linearizable": 1, "linearizable": 1},
        2,
    )


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
    found = cross_check({"f": impossible}, set())
    assert (found.orders, found.disagreements) == ({"undecided": 1}, 0)
