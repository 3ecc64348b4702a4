"""The checkers of histories: each defect planted, each caught by the checker that is meant for it.

A history is written one call a line: `instant-instant kind shown>made answer`. An answer of `?` was
lost, and `!` stands for a call known not to have been executed.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from scenarios.checkers import CHECKERS, verdicts
from scenarios.checkers.linearizable import Found, search
from scenarios.history import Event, Kind, Status
from tests.simulated_store import DEFECTS, history

LINE = re.compile(r"(\d+)-(\d+) (\w+)(?: (\w*)(?:>(\w+))?)?(?: (\S+))?")
MOST_TRIED = 20_000
"""States that a search may look at: more than any of these histories has."""
RANDOM_HISTORIES = int(os.environ.get("REFRESHBENCH_HISTORIES", "10000"))


def told(text: str) -> Sequence[Event]:
    """Read a history from its lines."""
    events = []
    for op, line in enumerate(filter(None, map(str.strip, text.strip().splitlines())), 1):
        matched = LINE.fullmatch(line)
        assert matched, line
        begin, end, kind, shown, made, answer = matched.groups(default="")
        status: Status = {"?": "unknown", "!": "fail"}.get(answer, "ok")  # type: ignore[assignment]
        named: dict[str, Kind] = {"logout_all": "revoke_subject"}
        events.append(
            Event(
                op=op,
                instance=op,
                family="f",
                kind=named.get(kind, kind),  # type: ignore[arg-type]
                generation=0,
                digest=made,
                presented=shown,
                invoke_ns=int(begin),
                return_ns=None if status == "unknown" else int(end),
                status=status,
                outcome=answer if status == "ok" and answer else None,
            )
        )
    return events


def caught(text: str) -> set[str]:
    """Give the checkers that find something in a history."""
    return {name for name, verdict in verdicts(told(text)).items() if verdict.anomalies}


PLANTED = {
    "two winners of a race": (
        "double spend",
        """0-1 issue >a
           2-9 rotate a>b rotated
           3-8 rotate a>c rotated""",
    ),
    "two winners, one long after the other": (
        "double spend",
        """0-1 issue >a
           2-3 rotate a>b rotated
           8-9 rotate a>c rotated""",
    ),
    "three winners": (
        "double spend",
        """0-1 issue >a
           2-9 rotate a>b rotated
           2-9 rotate a>c rotated
           2-9 rotate a>d rotated""",
    ),
    "a fork further down": (
        "double spend",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 rotate b>c rotated
           4-5 rotate b>d rotated
           6-7 rotate c>e rotated""",
    ),
    "an unanswered winner whose token lives, beside an answered one": (
        "double spend",
        """0-1 issue >a
           2-3 rotate a>b ?
           2-3 rotate a>c rotated
           4-5 verify b valid""",
    ),
    "a token that nobody made is good": (
        "double spend",
        """0-1 issue >a
           2-3 rotate z>y rotated""",
    ),
    "the successor of a refused rotation is good": (
        "double spend",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 rotate a>c reused
           4-5 verify c valid""",
    ),
    "valid after logout": (
        "alive after revoke",
        """0-1 issue >a
           2-3 revoke
           4-5 verify a valid""",
    ),
    "rotated after logout": (
        "alive after revoke",
        """0-1 issue >a
           2-3 revoke
           4-5 rotate a>b rotated""",
    ),
    "the winner of the race outlives the logout": (
        "alive after revoke",
        """0-1 issue >a
           2-6 rotate a>b rotated
           3-7 revoke
           8-9 verify b valid""",
    ),
    "valid after every session was ended": (
        "alive after revoke",
        """0-4 issue >a
           1-3 logout_all
           5-6 verify a valid""",
    ),
    "an issue that begins after the end is alive": (
        "alive after revoke",
        """0-1 logout_all
           2-3 issue >a
           5-6 verify a valid""",
    ),
    "the thief's token works on after reuse was met": (
        "alive after revoke",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 rotate a>c reused
           6-7 rotate b>d rotated""",
    ),
    "valid by grace after logout": (
        "alive after revoke",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 revoke
           6-7 rotate a>c grace""",
    ),
    "a token from before is good again": (
        "real-time order",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 verify a valid""",
    ),
    "a token is good before it was made": (
        "real-time order",
        """0-1 issue >a
           2-3 verify b valid
           4-5 rotate a>b rotated""",
    ),
    "the path against the clock": (
        "real-time order",
        """0-1 issue >a
           2-3 rotate b>c rotated
           4-5 rotate a>b rotated""",
    ),
    "a session is unknown after its issue": (
        "real-time order",
        """0-1 issue >a
           2-3 verify a unknown""",
    ),
    "the successor is unknown after its rotation": (
        "real-time order",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 verify b unknown""",
    ),
    "ended before anyone ended it": (
        "real-time order",
        """0-1 issue >a
           2-3 verify a revoked
           4-5 revoke""",
    ),
    "reuse is met before the token was replaced": (
        "real-time order",
        """0-1 issue >a
           2-3 verify a reused
           4-5 rotate a>b rotated""",
    ),
    "reuse is met after the logout": (
        "real-time order",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-5 revoke
           6-7 rotate a>c reused""",
    ),
    "two looks that see the rotation in opposite order": (
        "real-time order",
        """0-1 issue >a
           2-9 rotate a>b rotated
           3-4 verify b valid
           5-6 verify a valid""",
    ),
    "a driver takes its own retry for theft": (
        "false alarm",
        """0-1 issue >a
           2-3 rotate a>b reused
           4-5 verify a revoked""",
    ),
    "reuse where nobody rotated": (
        "false alarm",
        """0-1 issue >a
           2-3 verify a reused""",
    ),
    "a family that ends by reuse twice": (
        "false alarm",
        """0-1 issue >a
           2-3 rotate a>b rotated
           4-9 rotate a>c reused
           4-9 rotate a>d reused""",
    ),
    "revoked by nobody": (
        "false alarm",
        """0-1 issue >a
           2-3 verify a revoked""",
    ),
    "grace for a token that was not replaced": (
        "false alarm",
        """0-1 issue >a
           2-3 rotate a>b grace""",
    ),
}

RIGHT = {
    "nothing": "0-1 issue >a",
    "a path": """0-1 issue >a
                 2-3 rotate a>b rotated
                 4-5 rotate b>c rotated
                 6-7 verify c valid""",
    "one winner, reuse, then revoked": """0-1 issue >a
                 2-9 rotate a>b rotated
                 2-9 rotate a>c reused
                 2-9 rotate a>d revoked""",
    "a look that overlaps the logout may come before it": """0-1 issue >a
                 2-9 revoke
                 3-4 verify a valid
                 5-6 verify a revoked""",
    "an unanswered logout that took effect late": """0-1 issue >a
                 2-3 revoke ?
                 50-51 verify a valid
                 60-61 verify a revoked""",
    "an unanswered logout that never did": """0-1 issue >a
                 2-3 revoke ?
                 60-61 verify a valid""",
    "an unanswered rotation explains the reuse": """0-1 issue >a
                 2-3 rotate a>b ?
                 4-5 rotate a>c reused
                 6-7 verify b revoked""",
    "an unanswered rotation that never happened": """0-1 issue >a
                 2-3 rotate a>b ?
                 4-5 rotate a>c rotated
                 6-7 verify c valid""",
    "an unanswered replay has ended the family": """0-1 issue >a
                 2-3 rotate a>b rotated
                 4-5 rotate a>c ?
                 6-7 verify b revoked""",
    "an unanswered rotation after the logout did nothing": """0-1 issue >a
                 2-3 revoke
                 4-5 rotate a>b ?
                 6-7 verify a revoked""",
    "what is known not to be executed can't be a second winner": """0-1 issue >a
                 2-3 rotate a>b rotated
                 2-3 rotate a>c !
                 4-5 verify b valid""",
    "grace for the predecessor": """0-1 issue >a
                 2-3 rotate a>b rotated
                 4-5 rotate a>c grace
                 6-7 verify b valid""",
    "an issue that the end of its subject overtook": """0-9 issue >a
                 1-2 logout_all
                 3-4 verify a unknown
                 5-6 verify a revoked""",
    "expired says nothing of the order": """0-1 issue >a
                 2-3 rotate a>b expired
                 4-5 rotate a>c rotated""",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_defect_is_caught_by_its_checker(name: str) -> None:
    """Each history holds one defect; its checker names it, and the search finds no order."""
    checker, text = PLANTED[name]
    assert caught(text) == {checker}
    assert search(told(text), MOST_TRIED) is Found.NO


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_history_is_nobodys(name: str) -> None:
    """No checker finds anything in what a right store may do, and the search finds an order."""
    assert caught(RIGHT[name]) == set()
    assert search(told(RIGHT[name]), MOST_TRIED) is Found.YES


def test_an_anomaly_names_the_operations_that_show_it() -> None:
    """Whoever reads the history finds the place."""
    [found] = verdicts(told(PLANTED["valid after logout"][1]))["alive after revoke"].anomalies
    assert (found.family, found.ops) == ("f", [2, 3])
    assert found.says == "verify was answered valid after revoke had returned"


def test_the_checkers_and_the_search_agree_on_random_histories() -> None:
    """On histories of a simulated store with each defect and with none, they say the same.

    The search shares no code with the checkers but the reading of an event's end.
    """
    decided: Counter[tuple[str, Found]] = Counter()
    for seed in range(RANDOM_HISTORIES):
        defect, events = history(seed)
        found = verdicts(events)
        assert not any(verdict.undecided for verdict in found.values()), (seed, found)
        order = search(events, MOST_TRIED)
        guilty = any(verdict.anomalies for verdict in found.values())
        assert (order is Found.NO) == guilty, (seed, defect, found)
        decided[defect, order] += 1
    assert decided["none", Found.NO] == 0
    # Each defect shows in some of its histories, or the agreement would prove little.
    assert all(decided[defect, Found.NO] > 10 for defect in DEFECTS if defect != "none")


def test_the_search_gives_up_and_says_so() -> None:
    """Past its bound a search knows nothing, and must not be read as a pass."""
    calls = "\n".join(f"2-9 rotate a>s{n} ?" for n in range(14))
    text = f"0-1 issue >a\n2-9 rotate a>x rotated\n2-9 rotate a>y rotated\n{calls}"
    assert search(told(text), most_tried=500) is Found.UNDECIDED
    assert caught(text) == {"double spend"}


def test_a_checker_that_crashes_has_decided_nothing() -> None:
    """It says unknown with the reason, never pass, and the others go on."""

    def broken(events: Sequence[Event]) -> Sequence[None]:
        raise ZeroDivisionError("of no use")

    found = verdicts(told("0-1 issue >a"), {**CHECKERS, "broken": broken})  # type: ignore[dict-item]
    assert found["broken"].undecided == "ZeroDivisionError: of no use"
    assert all(not found[name].undecided for name in CHECKERS)


def test_a_circle_has_an_end() -> None:
    """A token that is made a second time, which no digest is, hangs no checker."""
    circle = "0-1 issue >a\n2-3 rotate a>b rotated\n4-5 rotate b>a rotated"
    assert not any(verdict.undecided for verdict in verdicts(told(circle)).values())


def test_families_are_judged_apart() -> None:
    """A defect of one family is not laid at another's door, and none hides behind it."""
    both = told(PLANTED["two winners of a race"][1])
    other = [
        Event(
            op=100, instance=0, family="g", kind="issue", generation=0, digest="h",
            invoke_ns=0, return_ns=1, status="ok",
        )
    ]  # fmt: skip
    found = verdicts([*both, *other])
    assert [one.family for one in found["double spend"].anomalies] == ["f"]
