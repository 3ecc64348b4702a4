"""Which columns the comparison has: those of the scenarios that were run, and no others."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import report
from bench.record import Skipped, SubjectFacts, Trial
from tests import records
from tests.pages import Page, rendered, rows
from tests.summaries import consistency_trial, fault_trial, subject

pytestmark = pytest.mark.usefixtures("undrawn")

ALWAYS = ["cannot (declared)", "n"]


def compared(
    tmp_path: Path, facts: Sequence[SubjectFacts], trials: Sequence[Trial], **run: object
) -> list[dict[str, str]]:
    page = rendered(tmp_path, records.run_of(facts, trials, **run), trials)
    return rows(page.parent / "comparison.csv")


def headings(row: dict[str, str]) -> list[str]:
    frame = {"group", "Subject", "flags", "notes", "trials"}
    return [heading for heading in row if heading not in frame]


def test_faults_alone_have_no_columns_of_speed_or_races(tmp_path: Path) -> None:
    """Nor one of a fault that nobody asked for."""
    [row] = compared(tmp_path, [subject("a:x")], [fault_trial("a:x", 1)])
    assert headings(row) == ["lost on crash [writes]", "resurrected [sessions]", *ALWAYS]


def test_a_fault_that_the_machine_cannot_do_says_so(tmp_path: Path) -> None:
    """It was asked for, so its column must not be missed."""
    lacking = Skipped(spec="powercut in durability", reason="no loop device", mend="be root")
    [row] = compared(tmp_path, [subject("a:x")], [fault_trial("a:x", 1)], skipped=[lacking])
    assert row["lost on power cut [writes]"] == "not measured"
    assert "lost on restart [writes]" not in row


def test_a_subject_of_which_no_trial_came_out_is_not_measured(tmp_path: Path) -> None:
    """The others' columns stay, and its cells say so."""
    trials = [consistency_trial(label, {1: 80}) for label in ("a:x", "b:y")]
    died = {"status": "failed", "findings": {}, "error": "died"}
    trials[1] = trials[1].model_copy(update=died)
    good, bad = compared(tmp_path, [subject("a:x"), subject("b:y")], trials)
    asked = ["seen by others at once [looks]", "winners per race [most]"]
    assert headings(good) == [*asked, *ALWAYS]
    assert [bad[heading] for heading in asked] == ["not measured"] * 2
    assert (good["n"], bad["n"]) == ("80 races", "nothing measured")


def test_where_nothing_came_out_there_is_no_table(tmp_path: Path) -> None:
    """An earlier one in the same place goes, and nothing on the page leads to it."""
    trial = fault_trial("a:x", 1)
    page = rendered(tmp_path, records.run_of([subject("a:x")], [trial]), [trial])
    assert (page.parent / "comparison.csv").exists()
    died = trial.model_copy(update={"status": "failed", "findings": {}, "error": "died"})
    folder = records.write(tmp_path / "again", records.run_of([subject("a:x")], [died]), [died])
    report.write(folder, page.parent)
    assert not (page.parent / "comparison.csv").exists()
    text = Page(page.read_text(encoding="utf-8")).text
    assert "comparison.csv" not in text
    assert "Comparison of" not in text
    assert "In words" not in text


def test_a_planned_scenario_that_is_still_to_come_keeps_its_columns(tmp_path: Path) -> None:
    """An interrupted run doesn't look as if nobody had asked."""
    done, to_come = fault_trial("a:x", 1), consistency_trial("a:x", {1: 80})
    plan = records.run_of([], [done, to_come]).plan
    [row] = compared(tmp_path, [subject("a:x")], [done], plan=plan)
    assert row["winners per race [most]"] == "not measured"
