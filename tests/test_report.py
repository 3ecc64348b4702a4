"""Reports: what a reader must find in them, and what must never be in them."""

import csv
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from bench import report
from bench.analysis import Summary, summary
from bench.errors import Failed, WrongUse
from bench.record import Run, RunFolder, Trial
from bench.report import formats
from bench.report.figures import frame
from bench.report.names import names
from bench.report.plots import canvas, tradeoff
from bench.report.plots.palette import COLOURS, LINES, MARKERS, looks
from bench.report.plots.scene import Scene
from bench.report.terminal import short_table
from scenarios.consistency import ConsistencyFindings, Races
from scenarios.latency import LatencyFindings
from tests import records

PICTURES = ("tradeoff", "throughput", "latency", "distribution", "losses", "races")
RACY = "racy_store.py:<script>make"


class Page(HTMLParser):
    """What a browser would see: the text, the tags, the table headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data
        self._silent = False

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the synthetic run."""
    base = tmp_path_factory.mktemp("report")
    run, trials = records.example()
    folder = records.write(base / "results" / "example", run, trials)
    return report.write(folder, base / "reports" / "example").parent


@pytest.fixture(scope="module")
def page(made: Path) -> Page:
    return Page((made / "index.html").read_text(encoding="utf-8"))


def rendered(tmp_path: Path, run: Run, trials: Sequence[Trial], name: str = "out") -> Path:
    folder = records.write(tmp_path / "results" / name, run, trials)
    return report.write(folder, tmp_path / "reports" / name)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestFiles:
    def test_everything_is_there(self, made: Path) -> None:
        """The page, the tables, and each picture twice, none of them large."""
        found = {path.relative_to(made).as_posix(): path for path in made.rglob("*.*")}
        assert set(found) == {
            "index.html", "comparison.md", "comparison.csv", "figures.csv",
            *(f"plots/{name}.{kind}" for name in PICTURES for kind in ("png", "svg")),
        }  # fmt: skip
        for name, path in found.items():
            limit = {".png": 200_000, ".svg": 300_000}.get(path.suffix, 1_500_000)
            assert path.stat().st_size < limit, name

    def test_two_renderings_are_the_same_bytes(self, tmp_path: Path, made: Path) -> None:
        """Nothing in a report depends on when, or how often, it was made."""
        run, trials = records.example()
        again = rendered(tmp_path, run, trials, "example").parent

        def digests(folder: Path) -> dict[str, str]:
            return {
                path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(folder.rglob("*.*"))
            }

        assert digests(again) == digests(made)

    def test_an_earlier_report_is_replaced(self, tmp_path: Path) -> None:
        """A picture for which there are no figures any more doesn't stay behind."""
        run, trials = records.example(["consistency"])
        out = rendered(tmp_path, run, trials, "first").parent
        assert (out / "plots" / "races.png").exists()
        run, trials = records.example(["durability"])
        folder = records.write(tmp_path / "results" / "second", run, trials)
        report.write(folder, out)
        assert not (out / "plots" / "races.png").exists()
        assert (out / "plots" / "losses.png").exists()

    def test_a_place_that_cannot_be_written_is_one_line(self, tmp_path: Path) -> None:
        """A file where the folder should be: Failed, with the place."""
        run, trials = records.example(["consistency"])
        folder = records.write(tmp_path / "run", run, trials)
        (tmp_path / "taken").write_text("here", encoding="utf-8")
        with pytest.raises(Failed, match="taken") as caught:
            report.write(folder, tmp_path / "taken" / "report")
        assert "\n" not in str(caught.value)

    def test_no_record_is_wrong_use(self, tmp_path: Path) -> None:
        """The same line as everywhere else."""
        folder = RunFolder(tmp_path / "nothing")
        with pytest.raises(WrongUse, match="no run"):
            report.write(folder, tmp_path / "out")


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

    def test_it_is_self_contained(self, page: Page, made: Path) -> None:
        """No script, and nothing fetched from anywhere; every link inside has its target."""
        assert not page.all("script")
        assert not page.all("link")
        ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        for link in (one.get("href") or one.get("src") or "" for _, one in page.tags):
            if link.startswith("#"):
                assert link[1:] in ids
            elif link:
                assert (made / link).is_file(), link

    def test_names_of_third_parties_are_text(self, made: Path) -> None:
        """A store's title with markup in it is shown, not run."""
        html = (made / "index.html").read_text(encoding="utf-8")
        assert "<script" not in html
        assert "&lt;script&gt;alert(&#39;우리 저장소&#39;)&lt;/script&gt;" in html
        markdown = (made / "comparison.md").read_text(encoding="utf-8")
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


class TestComparison:
    def cell(self, made: Path, subject: str, column: str) -> str:
        [row] = [row for row in rows(made / "comparison.csv") if row["Subject"] == subject]
        [value] = [value for heading, value in row.items() if heading.startswith(column)]
        return value

    def test_classes_are_grouped_and_ranked_apart(self, made: Path) -> None:
        """Best is said inside the class with two or more that can be ranked."""
        flags = {row["Subject"]: row["flags"] for row in rows(made / "comparison.csv")}
        assert "rotate p99 @8 [ms]: best" in flags["redis:aof-always"]
        assert "best" not in flags["postgres:async"]

    def test_limited_cells_are_marked_and_not_ranked(self, made: Path) -> None:
        """In CSV, Markdown and HTML."""
        [row] = [r for r in rows(made / "comparison.csv") if r["Subject"] == "redis:none"]
        assert "rotations @8 [1/s]: generator-limited" in row["flags"]
        assert " of " not in row["flags"]
        markdown = (made / "comparison.md").read_text(encoding="utf-8")
        [line] = [one for one in markdown.splitlines() if one.startswith("| redis:none ")]
        assert "*generator-limited*" in line
        html = (made / "index.html").read_text(encoding="utf-8")
        assert '<small class="mark">generator-limited</small>' in html

    def test_a_cookie_has_no_store_to_be_timed(self, made: Path) -> None:
        """n/a with the reason, not 0 ms; its races are measured, and are a positive control."""
        for column in ("verify p50", "rotate p99", "rotations", "lost on crash", "resurrected"):
            assert self.cell(made, "cookie:signed", column) == "n/a"
        assert self.cell(made, "cookie:signed", "winners per race") == "8"
        timed = [
            row
            for row in rows(made / "figures.csv")
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

    def test_several_winners_are_red(self, made: Path) -> None:
        """The tone that the style sheet paints red."""
        html = (made / "index.html").read_text(encoding="utf-8")
        assert re.search(r'<td class="bad"[^>]*>7 of 8', html)

    def test_figures_agree_with_the_analysis(self, made: Path) -> None:
        """The CSV holds the summary's own numbers."""
        run, trials = records.example()
        cell = summary(run, trials).cell("postgres:sync", "rotate", 8)
        assert cell is not None
        p99_ns = cell.percentiles_ns["99"]
        assert p99_ns is not None
        assert float(self.cell(made, "postgres:sync", "rotate p99")) == p99_ns / 1e6
        [found] = [
            row
            for row in rows(made / "figures.csv")
            if (row["label"], row["workload"], row["connections"], row["figure"])
            == ("postgres:sync", "rotate", "8", "p99 merged")
        ]
        assert float(found["value"]) == pytest.approx(p99_ns, rel=1e-5)
        assert found["trials"] == "latency/closed-loop/postgres:sync/{0,1,2,3,4}"
        assert (found["n_trials"], found["unit"]) == ("5", "ns")

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


class TestRaces:
    """The section on several instances, with a naive way as the control."""

    def page(self, tmp_path: Path, mine: Races, naive: Races) -> Page:
        facts = records.subjects([records.Shape("redis:none", records.CRASH, 40)])[:1]
        facts.append(
            facts[0].model_copy(
                update={"label": "redis-naive:none", "backend": "redis-naive", "naive": True}
            )
        )
        trials = [
            records.trial(
                fact.label,
                "consistency",
                "instances",
                0,
                ConsistencyFindings(visibility=[], races=found, errors={}),
            )
            for fact, found in zip(facts, ([plain(1), mine], [plain(2), naive]), strict=True)
        ]
        page = rendered(tmp_path, records.run_of(facts, trials), trials)
        return Page(page.read_text(encoding="utf-8"))

    def test_a_zero_beside_a_loss_has_its_bound(self, tmp_path: Path) -> None:
        """The naive way lost the same race; it stands in a group of its own."""
        lost = {"alive after revoke": 30}
        page = self.page(tmp_path, met("revoke"), met("revoke", anomalies=lost))
        assert "0 of 59" in page.text
        assert "30 of 59" in page.text
        assert "uncontrolled" not in page.text
        assert "Naive ways: read, decide, write back" in page.text

    def test_a_zero_beside_nothing_is_uncontrolled(self, tmp_path: Path) -> None:
        """Nobody lost such a race, so the zero proves nothing, and says so."""
        page = self.page(tmp_path, met("revoke"), met("revoke"))
        assert "uncontrolled" in page.text
        assert "Uncontrolled: no subject of this run lost such a race" in page.text

    def test_a_crashed_checker_is_no_pass(self, tmp_path: Path) -> None:
        """The cell says undecided, with the reason."""
        page = self.page(
            tmp_path, met("revoke", undecided={"double spend": "KeyError: 'x'"}), met("revoke")
        )
        assert "undecided" in page.text
        assert "A checker crashed: KeyError: 'x'." in page.text

    def test_what_could_not_be_raced_says_why(self, tmp_path: Path) -> None:
        """n/a, never 0."""
        none = met("rotate", mishap="lost answers", rounds=0, contested=0, unsuited="no server")
        page = self.page(tmp_path, none, none)
        assert "n/a" in page.text
        assert "no server" in page.text

    def test_the_cross_check_is_counted(self, tmp_path: Path) -> None:
        """What the search decided, what it did not, and whether it agrees."""
        orders = {"linearizable": 50, "undecided": 9}
        page = self.page(tmp_path, met("revoke", orders=orders), met("revoke"))
        assert "50 linearizable, 9 undecided" in page.text
        assert "It agrees with the checkers" in page.text
        page = self.page(tmp_path / "2", met("revoke", orders=orders, disagreements=4), plain(1))
        assert "It disagrees with the checkers on 4" in page.text


def plain(winners: int) -> Races:
    return Races(instances=4, rounds=60, contested=59, winners={winners: 59}, outcomes={})


def met(contest: str, **other: Any) -> Races:
    known = {"rounds": 60, "contested": 59, "winners": {}, "outcomes": {}}
    return Races(instances=4, contest=contest, **{**known, **other})


class TestPartialRuns:
    def test_latency_alone(self, tmp_path: Path) -> None:
        """What was not measured says so, and is never passed."""
        run, trials = records.example(["latency"])
        out = rendered(tmp_path, run, trials).parent
        page = Page((out / "index.html").read_text(encoding="utf-8"))
        assert "not measured" in page.text
        assert "What faults took" not in page.text
        assert len(page.all("img")) == 4
        row = rows(out / "comparison.csv")[0]
        assert row["lost on crash [writes]"] == "not measured"
        assert row["winners per race [most]"] == "not measured"

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


class TestPictures:
    @pytest.mark.parametrize("name", PICTURES)
    def test_png_is_twice_the_size_and_not_blank(self, made: Path, name: str) -> None:
        """Legible on a sharp screen: 1920 pixels for a picture shown at 960."""
        image = imread(made / "plots" / f"{name}.png")
        assert image.shape[1] == 1920
        assert image.std() > 0.02

    @pytest.mark.parametrize("name", PICTURES)
    def test_conditions_and_sizes_are_inside(self, made: Path, name: str) -> None:
        """A picture that is passed on alone still says what it shows, of what, and how much."""
        root = ET.parse(made / "plots" / f"{name}.svg").getroot()
        text = " ".join(" ".join(root.itertext()).split())
        for words in ("quick effort", "2026-03-14", "2 cores", "redis 8.2.3", "seed 20260314"):
            assert words in text
        assert re.search(r"[\d,]+ (operations|acknowledged writes|contested races)", text)
        assert re.search(
            r"ms \(log\)|operations/s|counts acknowledged writes|of those contested", text
        )

    @pytest.mark.parametrize("name", PICTURES)
    def test_classes_are_named_in_every_picture(self, made: Path, name: str) -> None:
        """No picture compares across durability classes without saying so."""
        root = ET.parse(made / "plots" / f"{name}.svg").getroot()
        text = " ".join(root.itertext())
        assert "declared to survive a power cut" in text
        assert "declared to keep nothing" in text

    def test_labels_do_not_overlap(self) -> None:
        """Names of rows, and the figures beside points, keep clear of each other."""
        run, trials = records.example()
        found = summary(run, trials)
        with canvas.style():
            scene = Scene(found, looks(found.subjects, names(found.subjects)), "conditions")
            plot = tradeoff.draw(scene)
            assert plot is not None
            plot.figure.canvas.draw()
            boxes = [
                text.get_window_extent()
                for axes in plot.figure.axes
                for text in [*axes.texts, *axes.get_yticklabels()]
                if text.get_text()
            ]
        crossing = [
            (one, other)
            for number, one in enumerate(boxes)
            for other in boxes[number + 1 :]
            if one.overlaps(other)
        ]
        assert not crossing

    def test_too_few_rotations_are_not_drawn_as_a_p99(self, tmp_path: Path) -> None:
        """The row says why it is empty; the slowest of 60 is no p99."""
        few = records.cell("rotate", 8, {"rotate": records.samples([500.0] * 30)})
        many = records.cell("rotate", 8, {"rotate": records.samples([500.0] * 300)})
        facts = records.subjects(records.SHAPES[1:3])
        trials = [
            records.trial(fact.label, "latency", "closed-loop", n, LatencyFindings(cells=[cell]))
            for fact, cell in zip(facts, (few, many), strict=False)
            for n in range(2)
        ]
        out = rendered(tmp_path, records.run_of(facts, trials), trials).parent
        text = " ".join(ET.parse(out / "plots" / "tradeoff.svg").getroot().itertext())
        assert "60 rotations: too few for a p99" in text

    def test_one_colour_a_store(self) -> None:
        """A backend's profiles share the hue and differ in marker and line; backends differ."""
        run, _ = records.example()
        drawn = looks(run.subjects, names(run.subjects))
        assert len(set(COLOURS.values())) == len(COLOURS)
        redis = [drawn[label] for label in drawn if label.startswith("redis:")]
        assert len({look.marker for look in redis}) == len(redis) <= len(MARKERS)
        assert len({str(look.line) for look in redis[:4]}) == len(LINES)
        assert drawn["redis:none"].colour == COLOURS["redis"].lower()

    def test_what_no_font_can_draw_becomes_a_box(self) -> None:
        """Rather than a warning, which would end a run."""
        assert canvas.printable("plain µs ≤ –") == "plain µs ≤ –"
        assert canvas.printable("\U0001fae0\U000e0100") == "□□"


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.01234, "0.0123"), (0.9996, "1.00"), (9.996, "10.0"), (99.96, "100"),
        (1234.5, "1,230"), (999_600, "1,000,000"),
    ],
)  # fmt: skip
def test_three_significant_digits(value: float, text: str) -> None:
    """Rounding first, so that no figure shows four."""
    assert formats.significant(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.00001, "< 0.1%"), (0.005, "0.5%"), (0.99999, "> 99.9%"), (1, "100%")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(share: float, text: str) -> None:
    """0% and 100% are said of nothing else."""
    assert formats.percent(share) == text


def test_a_bound_is_rounded_up() -> None:
    """Rounded down it would bound too much."""
    assert formats.bound(0.04951) == "5%"
    assert formats.bound(0.95) == "95%"


def test_names_stay_unique() -> None:
    """Two factories of one name in two folders keep their folders."""
    facts = [
        records.subjects([records.Shape(spec, records.CRASH, 1)])[0]
        for spec in ("one/store.py:make", "two/store.py:make", "three/other.py:make")
    ]
    assert list(names(facts).values()) == [
        "one/store.py:make",
        "two/store.py:make",
        "other.py:make",
    ]
