"""What is printed where nothing came back since everything was lost: no zero, and no control."""

from pathlib import Path

import pytest

from bench.analysis import Summary
from bench.record import Trial
from bench.report.blocks import Cell
from bench.report.figures import frame
from bench.report.losscells import NOT_ASKED, lost_cell
from bench.report.merged import resurrected_cell
from tests import records
from tests.pages import rendered
from tests.summaries import fault_trial, subject, summarised

FACTS = [subject("gone:x"), subject("kept:x"), subject("back:x")]
ALL: dict[str, object] = {"lost_writes": 100, "lost_sessions": 20}
BACK = {"lost_writes": 9, "resurrected_rotated": 5, "resurrected_revoked": 4}


def struck(fault: str = "crash", *, control: bool = True) -> list[Trial]:
    """One store that lost everything, one that kept everything, and one that went back in time."""
    return [
        fault_trial("gone:x", 1, fault, **ALL),
        fault_trial("kept:x", 1, fault),
        *([fault_trial("back:x", 1, fault, **BACK)] if control else []),
    ]


def merged(found: Summary, label: str) -> Cell:
    [fact] = [fact for fact in found.subjects if fact.label == label]
    return resurrected_cell(found, fact)


def test_what_lost_everything_has_no_zero_of_what_came_back() -> None:
    """Neither by fault nor over all; what it lost is told, and no control is claimed."""
    found = summarised(FACTS, struck())
    for cell in (
        lost_cell(found, "gone:x", "crash", "resurrected_rotated"),
        merged(found, "gone:x"),
    ):
        assert (cell.text, cell.detail, cell.number) == ("n/a", "nothing left", None)
        assert not any("control" in note for note in cell.notes)
    assert lost_cell(found, "gone:x", "crash", "lost_sessions").text == "20 of 20"


def test_what_has_one_session_left_keeps_its_zero() -> None:
    """It could have come back."""
    trial = fault_trial("gone:x", 1, lost_writes=95, lost_sessions=19)
    found = summarised(FACTS, [trial, *struck()[1:]])
    assert lost_cell(found, "gone:x", "crash", "resurrected_rotated").text == "0 of 70"


def test_a_zero_is_of_the_trials_that_left_something() -> None:
    """One of three could have shown that a token came back, so it bounds as one does."""
    trials = [*struck(), fault_trial("gone:x", 2, "crash", **ALL), fault_trial("gone:x", 3)]
    found = summarised(FACTS, trials)
    for cell in (
        lost_cell(found, "gone:x", "crash", "resurrected_rotated"),
        merged(found, "gone:x"),
    ):
        assert "1 crash: ≤ 95%" in cell.detail
    assert "in 2 of 3" in lost_cell(found, "gone:x", "crash", "lost_writes").detail


def test_a_store_that_did_not_start_again_was_not_asked() -> None:
    """Its sessions may be in its files yet."""
    dead = fault_trial("gone:x", 1, "crash", came_back="never", recovery_ns=None, **ALL)
    cell = lost_cell(summarised(FACTS, [dead]), "gone:x", "crash", "resurrected_rotated")
    assert cell.notes == (NOT_ASKED,)


def test_a_merged_zero_is_of_the_faults_that_left_something() -> None:
    """The others are neither counted nor in its bound."""
    found = summarised(FACTS, [*struck(), fault_trial("gone:x", 1, "restart")])
    cell = merged(found, "gone:x")
    assert cell.text == "0"
    assert "in 1 restart:" in cell.detail


@pytest.mark.parametrize("control", [True, False])
def test_a_merged_zero_says_where_it_is_uncontrolled(control: bool) -> None:  # noqa: FBT001
    """Under one fault of several is enough."""
    trials = [*struck(), *struck("restart", control=control)]
    cell = merged(summarised(FACTS, trials), "kept:x")
    assert cell.marks == (() if control else ("uncontrolled",))
    assert any(note.startswith("uncontrolled") for note in cell.notes) != control


def test_one_harm_of_two_that_nobody_suffered_leaves_it_uncontrolled() -> None:
    """It is a zero of both."""
    rotated = fault_trial("back:x", 1, lost_writes=5, resurrected_rotated=5)
    cell = merged(summarised(FACTS, [*struck()[:2], rotated]), "kept:x")
    assert cell.marks == ("uncontrolled",)
    assert [note.partition(":")[0] for note in cell.notes] == [
        "Positive control for this zero on crash",
        "uncontrolled",
    ]


def test_the_figures_have_no_value_and_say_why() -> None:
    """With sessions as the unit, as of those that did come back."""
    data = frame(summarised(FACTS, struck()))
    back = data[data.figure.str.startswith("resurrected")].set_index("label")
    assert back.loc["gone:x"].value.isna().all()
    assert back.loc["gone:x"].missing.str.contains("lost").all()
    assert (back.loc["kept:x"].value == 0).all()
    assert set(back.unit) == {"sessions"}


@pytest.mark.usefixtures("undrawn")
def test_a_run_in_which_everything_was_lost_speaks_of_no_such_control(tmp_path: Path) -> None:
    """Not even of one that is missing: there is no zero that it would be for."""
    trials = struck()[:1]
    page = rendered(tmp_path, records.run_of(FACTS[:1], trials), trials).read_text("utf-8")
    assert "a lost write: seen in gone:x" in page
    assert "a resurrected rotated token" not in page
    assert "uncontrolled" not in page
