"""The page: what a reader must find in it, and what must never be in it."""

from pathlib import Path

import pytest

from tests import records
from tests.pages import PICTURES, Page, rendered, rows


class TestPage:
    def test_it_begins_with_the_answer(self, page: Page) -> None:
        """The picture that decides, then words, then the table, before any detail."""
        order = [
            page.text.index(words)
            for words in ("In words", "Comparison of 14", "Failed trials", "Every operation at")
        ]
        assert order == sorted(order)
        assert page.all("img")[0]["src"] == "plots/tradeoff.svg"

    def test_every_subject_unit_and_condition_is_named(self, page: Page) -> None:
        """Nothing that was run is missing, and no figure stands without its unit."""
        for shape in records.SHAPES:
            assert shape.spec.rpartition("/")[2] in page.text
        for unit in ("ms", "1/s", "µs/rotation", "MB", "writes", "sessions", "looks"):
            assert f" {unit}" in page.text
        for condition in ("quick effort", "2026-03-14 09:26 UTC", "2 cores", "redis 8.2.3 (wheel)"):
            assert condition in page.text
        assert "seed 20260314" in page.text

    def test_it_is_accessible(self, page: Page) -> None:
        """Language, alternative texts, captions, and a scope on every heading of a table."""
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("img")) == len(PICTURES)
        assert all(len(image["alt"] or "") > 40 for image in page.all("img"))
        assert all(heading.get("scope") for heading in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table")) > 5

    def test_it_is_self_contained(self, page: Page, example_report: Path) -> None:
        """No script, and nothing fetched from anywhere; every link inside has its target."""
        assert not page.all("script")
        assert not page.all("link")
        ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        for link in (one.get("href") or one.get("src") or "" for _, one in page.tags):
            if link.startswith("#"):
                assert link[1:] in ids
            elif link:
                assert (example_report / link).is_file(), link

    def test_names_of_third_parties_are_text(self, example_report: Path) -> None:
        """A store's title with markup in it is shown, not run."""
        html = (example_report / "index.html").read_text(encoding="utf-8")
        assert "<script" not in html
        assert "&lt;script&gt;alert(&#39;우리 저장소&#39;)&lt;/script&gt;" in html
        markdown = (example_report / "comparison.md").read_text(encoding="utf-8")
        outside_code = "".join(markdown.split("```")[::2])
        assert "<script" not in outside_code
        assert "racy\\_store.py:&lt;script&gt;make" in markdown

    def test_failed_skipped_and_contradicted_are_told(self, page: Page) -> None:
        """With the reason, and the mend."""
        assert "latency/closed-loop/mongo:w1/0: mongod died: no space left" in page.text
        assert "mongo:majority: a replica set needs" in page.text
        assert "pip install 'refreshbench[servers]'" in page.text
        assert "declares that it can detect reuse, but" in page.text

    def test_it_can_be_made_again(self, page: Page) -> None:
        """The command, with the seed, and the record's place as seen from the report."""
        assert "refreshbench run latency durability consistency -b memory:process" in page.text
        assert "--effort quick --seed 20260314" in page.text
        assert "../../results/example" in page.text

    def test_figures_lead_to_their_trials(self, page: Page) -> None:
        """A cell's title names the trials it comes from."""
        titles = [cell["title"] or "" for cell in page.all("td") if "title" in cell]
        assert any("latency/closed-loop/redis:aof-always/{0,1,2,3,4}" in one for one in titles)


@pytest.mark.usefixtures("undrawn")
class TestPartialRuns:
    def test_latency_alone(self, tmp_path: Path) -> None:
        """Nothing is said of what was not asked; so it can't be taken for passed."""
        run, trials = records.example(["latency"])
        out = rendered(tmp_path, run, trials).parent
        page = Page((out / "index.html").read_text(encoding="utf-8"))
        assert "not measured" not in page.text
        assert "What faults took" not in page.text
        assert len(page.all("img")) == 4
        row = rows(out / "comparison.csv")[0]
        assert "rotate p99 @8 [ms]" in row
        assert not [heading for heading in row if "lost on" in heading or "winners" in heading]

    @pytest.mark.parametrize("scenario", ["durability", "consistency"])
    def test_without_latency(self, tmp_path: Path, scenario: str) -> None:
        """A table and the pictures that there are figures for."""
        run, trials = records.example([scenario])
        page = Page(rendered(tmp_path, run, trials).read_text(encoding="utf-8"))
        assert "Comparison of 14 subjects" in page.text
        assert len(page.all("img")) == 1

    def test_no_trial_came_out(self, tmp_path: Path) -> None:
        """The page says so, with the reasons."""
        run, trials = records.example(["durability"])
        died = {"status": "failed", "findings": {}, "error": "no server would start"}
        trials = [one.model_copy(update=died) for one in trials]
        page = Page(rendered(tmp_path, run, trials).read_text(encoding="utf-8"))
        assert "there is nothing to compare" in page.text
        assert "no server would start" in page.text
        assert not page.all("img")

    def test_an_interrupted_run_says_how_to_go_on(self, tmp_path: Path) -> None:
        """What is planned and not recorded is counted."""
        run, trials = records.example(["consistency"])
        page = Page(rendered(tmp_path, run, trials[:-3]).read_text(encoding="utf-8"))
        assert "3 not run yet (go on with --resume)" in page.text

    def test_nobody_lost_anything(self, tmp_path: Path) -> None:
        """A run of safe stores alone proves nothing, and says so."""
        run, trials = records.example(["durability"])
        safe = {"memory:process", "redis:none", "postgres:async", "mongo:w1"}
        kept = [one for one in trials if one.label not in safe]
        facts = [fact for fact in run.subjects if fact.spec not in safe]
        page = Page(
            rendered(tmp_path, records.run_of(facts, kept), kept).read_text(encoding="utf-8")
        )
        assert "Nobody lost an acknowledged write, so nothing shows that it could be" in page.text
