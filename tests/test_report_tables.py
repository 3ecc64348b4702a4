"""The comparison of stores: on the page, in Markdown, as CSV, on a terminal."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.analysis import Summary, summary
from bench.report.figures import frame
from bench.report.terminal import short_table
from tests import records
from tests.pages import Page, rendered, rows
from tests.summaries import fault_trial, subject, summarised


class TestComparison:
    def cell(self, example_report: Path, subject: str, column: str) -> str:
        [row] = [
            row for row in rows(example_report / "comparison.csv") if row["Subject"] == subject
        ]
        [value] = [value for heading, value in row.items() if heading.startswith(column)]
        return value

    def test_classes_are_grouped_and_ranked_apart(self, example_report: Path) -> None:
        """Best is said inside the class with two or more that can be ranked."""
        flags = {row["Subject"]: row["flags"] for row in rows(example_report / "comparison.csv")}
        assert "rotate p99 @8 [ms]: best" in flags["redis:aof-always"]
        assert "best" not in flags["postgres:async"]

    def test_limited_cells_are_marked_and_not_ranked(self, example_report: Path) -> None:
        """In CSV, Markdown and HTML."""
        [row] = [r for r in rows(example_report / "comparison.csv") if r["Subject"] == "redis:none"]
        assert "rotations @8 [1/s]: generator-limited" in row["flags"]
        assert " of " not in row["flags"]
        markdown = (example_report / "comparison.md").read_text(encoding="utf-8")
        lines = [one for one in markdown.splitlines() if one.startswith("| redis:none ")]
        assert "*generator-limited*" in lines[0]
        html = (example_report / "index.html").read_text(encoding="utf-8")
        assert '<small class="mark">generator-limited</small>' in html

    def test_a_cookie_has_no_store_to_be_timed(self, example_report: Path) -> None:
        """n/a with the reason, not 0 ms; its races are measured, and are a positive control."""
        for column in ("verify p50", "rotate p99", "rotations", "lost on crash", "resurrected"):
            assert self.cell(example_report, "cookie:signed", column) == "n/a"
        assert self.cell(example_report, "cookie:signed", "winners per race") == "8"
        timed = [
            row
            for row in rows(example_report / "figures.csv")
            if row["label"] == "cookie:signed" and row["scenario"] in {"latency", "durability"}
        ]
        assert timed
        assert all(row["value"] == "" and row["flags"] == "n/a" for row in timed)

    def test_zero_losses_carry_their_bound_and_control(self, page: Page) -> None:
        """0 of 1 crash leaves up to 95%, and someone else lost under the same fault."""
        assert "0 of 1 crash: ≤ 95%" in page.text
        assert (
            "Positive control for this zero on crash: memory:process, postgres:async, redis:none"
            in page.text
        )
        assert (
            "uncontrolled: no subject of this run brought revoked sessions back on restart, so"
            in page.text
        )

    def test_what_a_store_cannot_do_has_its_reason(self, page: Page) -> None:
        """Declared, as a footnote."""
        assert "Cannot revoke: the server keeps nothing to mark." in page.text

    def test_several_winners_are_red(self, example_report: Path) -> None:
        """The tone that the style sheet paints red."""
        html = (example_report / "index.html").read_text(encoding="utf-8")
        assert re.search(r'<td class="bad"[^>]*>7 of 8', html)

    def test_figures_agree_with_the_analysis(self, example_report: Path) -> None:
        """The CSV holds the summary's own numbers."""
        run, trials = records.example()
        cell = summary(run, trials).cell("postgres:sync", "rotate", 8)
        assert cell is not None
        p99_ns = cell.percentiles_ns["99"]
        assert p99_ns is not None
        assert float(self.cell(example_report, "postgres:sync", "rotate p99")) == p99_ns / 1e6
        [found] = [
            row
            for row in rows(example_report / "figures.csv")
            if (row["label"], row["workload"], row["connections"], row["figure"])
            == ("postgres:sync", "rotate", "8", "p99 merged")
        ]
        assert float(found["value"]) == pytest.approx(p99_ns, rel=1e-5)
        assert found["trials"] == "latency/closed-loop/postgres:sync/{0,1,2,3,4}"
        assert (found["n_trials"], found["unit"]) == ("5", "ns")

    @pytest.mark.usefixtures("undrawn")
    def test_a_spreadsheet_does_not_run_names(self, tmp_path: Path) -> None:
        """A name that begins like a formula is quoted."""
        evil = records.Shape("=HYPERLINK(1):x", records.CRASH, 50)
        facts = records.subjects([evil])
        trials = [
            records.trial(
                evil.spec,
                "consistency",
                "instances",
                0,
                records.races(evil, np.random.default_rng(1)),
            )
        ]
        page = rendered(tmp_path, records.run_of(facts, trials), trials)
        text = (page.parent / "comparison.csv").read_text(encoding="utf-8")
        assert "'=HYPERLINK" in text


class TestTerminal:
    def test_it_is_short_and_says_what_matters(self) -> None:
        """A row a subject, a text a column, and the notes that its marks need."""
        run, trials = records.example()
        table = short_table(summary(run, trials))
        assert len(table.rows) == len(records.SHAPES)
        assert all(len(row) == len(table.columns) for row in table.rows)
        by_subject = {row[1]: row for row in table.rows}
        assert "best" in by_subject["redis:aof-always"][3]
        assert "limited" in by_subject["redis:none"][3]
        assert by_subject["memory:process"][6] == "801 of 801"
        assert any("95%" in note for note in table.notes)
        assert any("1 trial failed" in note for note in table.notes)

    def test_it_has_no_columns_for_what_was_not_run(self) -> None:
        """A terminal has no room for columns of "not measured"."""
        run, trials = records.example(["consistency"])
        table = short_table(summary(run, trials))
        assert list(table.columns) == ["class", "subject", "winners per race"]

    def test_a_zero_says_of_how_many_trials_it_is(self) -> None:
        """Not of those of the companion that lost, nor of one that is left out of the table."""
        facts = [subject("a:x"), subject("b:y"), subject("c:z", companion=True)]

        def note(*trials: Mapping[str, int]) -> str:
            made = [
                fault_trial(label, number, lost_writes=int(label == "c:z"))
                for each in trials
                for label, count in each.items()
                for number in range(count)
            ]
            [found] = [one for one in short_table(summarised(facts, made)).notes if "0 lost" in one]
            return found

        assert note({"a:x": 5, "b:y": 5, "c:z": 1}).startswith("0 lost in 5 of each fault: ")
        said = note({"a:x": 5, "b:y": 9, "c:z": 1})
        assert said.startswith("0 lost, in at least 5 trials of each fault: ")


class TestFigures:
    def test_every_cell_is_in_the_frame(self) -> None:
        """A data frame for whoever goes on from here: no figure without unit, size, trials."""
        run, trials = records.example()
        found: Summary = summary(run, trials)
        data = frame(found)
        assert isinstance(data, pd.DataFrame)
        cells = data[data.scenario == "latency"].groupby(
            ["label", "workload", "operation", "connections"]
        )
        assert len(cells) == len(found.cells)
        assert data.unit.notna().all()
        assert data.n.notna().all()
        assert data[data.scenario != "tokens"].trials.str.len().gt(0).all()
