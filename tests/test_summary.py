"""The summary as a whole: odd records, JSON, and what it must not wait for."""

import json
import subprocess
import sys

import pytest

from bench.analysis import Summary, summary
from bench.errors import Failed
from tests import records
from tests.summaries import (
    fault_trial,
    subject,
    summarised,
)


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
