"""The report of a run about several servers: failovers, and reads from replicas."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from bench import report
from bench.analysis import summary
from bench.record import Trial
from bench.report.names import names
from bench.report.plots import canvas, lengths
from bench.report.plots.palette import looks
from bench.report.plots.scene import Scene
from bench.report.terminal import short_table
from scenarios.staleness import StalenessFindings
from tests import records
from tests.failovers import KEEPS, LOSES, facts, failed_over

UNDECIDED = {"losses": "ValueError: never looked at"}
IN_THE_LEGEND = 1


def watched(label: str, *accepted_ns: int, never: int = 0) -> Trial:
    findings = StalenessFindings(
        accepted_ns=list(accepted_ns), largest_gap_ns=10**6, unacknowledged=0, never=never
    )
    return records.trial(label, "staleness", "replica-reads", 1, findings)


TRIALS = (
    failed_over(LOSES, "partition", 700),
    failed_over(KEEPS, "partition", 0),
    failed_over(LOSES, "kill", 0),
    failed_over(KEEPS, "kill", 0),
    watched(LOSES, 0, 10**6, 5 * 10**6),
    watched(KEEPS, never=3),
)


def words(trials: Sequence[Trial] = TRIALS) -> str:
    run = records.run_of(facts(), trials)
    return "\n".join(short_table(summary(run, trials)).notes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report once; give its folder."""
    return written(tmp_path_factory.mktemp("topologies"), TRIALS)


def written(where: Path, trials: Sequence[Trial]) -> Path:
    folder = records.write(where / "results" / "run", records.run_of(facts(), trials), trials)
    return report.write(folder, where / "out").parent


def lengths_of(trials: Sequence[Trial], labels: Sequence[str] = (LOSES, KEEPS)) -> Figure:
    """Draw one picture; leave the style to who calls."""
    found = summary(records.run_of(facts(labels), trials), trials)
    plot = lengths.draw(Scene(found, looks(found.subjects, names(found.subjects)), "conditions"))
    assert plot is not None
    return plot.figure


def test_a_zero_is_said_with_what_it_proves() -> None:
    """With its bound where somebody lost by the same fault; where nobody did, that it is none."""
    partition, kill, _ = words().splitlines()
    assert f"{LOSES} 700 of 2,000" in partition
    assert "may still lose" in partition
    assert "uncontrolled" not in partition
    assert "uncontrolled" in kill


def test_a_replica_that_never_shows_a_logout_is_named() -> None:
    """It has no percentile, and isn't left out for that."""
    said = words().splitlines()[-1]
    assert f"{LOSES} 5 ms or less in 99 of 100 logouts" in said.replace("5.00", "5")
    assert f"{KEEPS} 3 never refused while watched" in said


def test_the_markdown_has_what_was_measured_in_place_of_an_empty_comparison(made: Path) -> None:
    """The pictures, and a row a topology in each table."""
    text = (made / "comparison.md").read_text(encoding="utf-8")
    assert "Comparison of" not in text
    assert not (made / "comparison.csv").exists()
    for name in ("failover", "staleness"):
        assert f"(plots/{name}.png)" in text
        assert (made / "plots" / f"{name}.png").exists()
    assert "plots/lengths" not in text
    assert text.count("sentinel-wait1") >= 3


def test_a_fault_is_called_by_what_was_done(tmp_path: Path) -> None:
    """Nobody may have taken over by its end; and hosts were parted, which is no loopback."""
    short = failed_over(KEEPS, "partition", 0, 0.5)
    short = short.model_copy(update={"findings": {**short.findings, "took_over": False}})
    text = (written(tmp_path, [short]) / "comparison.md").read_text(encoding="utf-8")
    assert "**What a fault of the primary took (partition, 0.5 s).**" in text
    assert "When another took over" not in text
    assert "network namespaces, joined by a bridge" in text
    assert "Everything ran on one machine over loopback" not in text


def test_what_a_replica_accepted_is_drawn_and_what_it_never_refused_is_said(made: Path) -> None:
    """A topology without any figure has its row too."""
    drawn = (made / "plots" / "staleness.svg").read_text(encoding="utf-8")
    assert "2 of 3 still accepted, up to 5.00 ms" in drawn
    assert "3 of 3 still accepted, 3 never refused while watched" in drawn


def test_a_logout_that_was_never_refused_ranks_after_all_others() -> None:
    """Of 100 logouts of which two were never refused, 99 were not refused by any time."""
    trials = [watched(LOSES, *[10**6] * 98, never=2), watched(KEEPS, *[10**6] * 98)]
    late, seen = summary(records.run_of(facts(), trials), trials).staleness
    assert (late.p50_ns, late.p99_ns, late.longest_ns) == (10**6, None, 10**6)
    assert (late.accepted, late.revocations) == (100, 100)
    assert (seen.p50_ns, seen.p99_ns, seen.accepted) == (10**6, 10**6, 98)


def test_a_percentile_that_was_never_reached_is_said_to_be_never(tmp_path: Path) -> None:
    """It isn't left out in the table, nor are the few that were seen spoken of as all."""
    trials = [watched(LOSES, *[10**6] * 8, never=2)]
    page = (written(tmp_path, trials) / "comparison.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("|") and "10 of 10" in line]
    assert "never" in row
    said = words(trials).splitlines()[-1]
    assert "99 of 100" not in said
    assert "2 never refused while watched" in said


def test_every_failover_and_replica_is_in_the_figures(made: Path) -> None:
    """With its size, its interval, and whether a zero is controlled."""
    lines = (made / "figures.csv").read_text(encoding="utf-8").splitlines()
    mine = [line for line in lines if line.startswith("failover") and KEEPS in line]
    [partition, kill] = [line for line in mine if "trials with lost writes" in line]
    assert "uncontrolled" not in partition
    assert "uncontrolled" in kill
    assert any(line.startswith("staleness") and "accepted p99" in line for line in lines)


def test_several_lengths_are_drawn_side_by_side(tmp_path: Path) -> None:
    """A panel a topology in place of a column a fault, with what was lost written on it."""
    trials = [
        failed_over(label, strike, lost, seconds)
        for label, most in ((LOSES, 1_224), (KEEPS, 0))
        for strike, seconds, lost in (
            ("partition", 0.5, 0),
            ("partition", 8.0, most),
            ("kill", 4.0, 0),
        )
    ]
    folder = written(tmp_path, trials)
    drawn = (folder / "plots" / "lengths.svg").read_text(encoding="utf-8")
    assert "1,224" in drawn
    assert drawn.count(">kill<") == 2
    # By the shortest nobody lost anything, nor by the kill: these zeros prove nothing.
    assert drawn.count("fill: url(#") - IN_THE_LEGEND == 4
    assert not (folder / "plots" / "failover.svg").exists()


def test_a_fault_that_lasted_longer_than_asked_for_says_so() -> None:
    """Both times are there, and the one that differs is bold."""
    trials = [failed_over(LOSES, "partition", 9, seconds) for seconds in (2.0, 4.0)]
    with canvas.style():
        figure = lengths_of(trials)
        figure.draw_without_rendering()
        words = [text for axes in figure.axes for text in axes.texts]
        lasted = [text for text in words if text.get_text() == "4.0"]
        assert [text.get_fontweight() for text in lasted] == ["bold", "normal"]
        assert {"2", "4", "asked for, s", "lasted, s"} <= {text.get_text() for text in words}


def test_ten_topologies_and_three_trials_have_their_room() -> None:
    """Two panels side by side, the words below the bars clear of each other and of the next row."""
    labels = [f"redis:none@{number}" for number in range(10)]
    trials = [
        failed_over(label, strike, 1_230 * (repeat > 1), seconds, repeat=repeat)
        for label in labels
        for strike, seconds in (
            ("partition", 0.5), ("partition", 2.0), ("partition", 4.0), ("partition", 8.0),
            ("kill", 4.0),
        )
        for repeat in (1, 2, 3)
    ]  # fmt: skip
    with canvas.style():
        figure = lengths_of(trials, labels)
        figure.draw_without_rendering()
        assert len({axes.get_position().x0 for axes in figure.axes}) == 2
        drawn = [text for axes in figure.axes for text in [*axes.texts, axes.title]]
        written = [text for text in drawn if text.get_text()]
        assert sum(text.get_text() == "2 of 3" for text in written) == 50
        boxes = [text.get_window_extent() for text in written]
    assert not [
        (written[number].get_text(), other.get_text())
        for number, one in enumerate(boxes)
        for other, beside in zip(written[number + 1 :], boxes[number + 1 :], strict=True)
        if one.overlaps(beside)
    ]


@pytest.mark.parametrize("seconds", [3.0, 8.0])
def test_an_undecided_loss_is_shown_as_such(tmp_path: Path, seconds: float) -> None:
    """With its reason, in words, table, picture and figures; and it is no zero anywhere."""
    crashed = failed_over(KEEPS, "partition", 0, seconds, undecided=UNDECIDED)
    trials = [failed_over(LOSES, "partition", 700), failed_over(KEEPS, "partition", 0), crashed]
    trials = trials[:1] + trials[2:] if seconds == trials[0].findings["seconds"] else trials
    said = words(trials)
    assert f"Undecided in {KEEPS}." in said
    folder = written(tmp_path, trials)
    assert "ValueError: never looked at" in (folder / "index.html").read_text(encoding="utf-8")
    name = "failover" if seconds == 3.0 else "lengths"
    assert "undecided" in (folder / "plots" / f"{name}.svg").read_text(encoding="utf-8")
    fault = f"partition, {seconds:g} s"
    lines = (folder / "figures.csv").read_text(encoding="utf-8").splitlines()
    mine = [line for line in lines if KEEPS in line and fault in line]
    assert mine
    assert not any("lost writes" in line for line in mine)


@pytest.mark.parametrize("seconds", [3.0, 8.0])
def test_undecided_double_spends_are_no_zero(tmp_path: Path, seconds: float) -> None:
    """Neither in the pictures nor in the figures."""
    crashed = failed_over(
        KEEPS, "partition", 0, seconds, undecided={"double spend": "ValueError: odd"}
    )
    other = failed_over(LOSES, "partition", 700)
    folder = written(tmp_path, [other, crashed])
    name = "failover" if seconds == 3.0 else "lengths"
    assert "undecided" in (folder / "plots" / f"{name}.svg").read_text(encoding="utf-8")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert f"{KEEPS}, partition, {seconds:g} s: 0 writes lost of 2,000, spent twice: und" in page
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    [value] = [
        row["value"] for row in rows if row["figure"] == "double spends" and row["label"] == KEEPS
    ]
    assert not value


def test_double_spends_are_shown_where_losses_are_undecided(tmp_path: Path) -> None:
    """What one checker found isn't hidden by another's crash."""
    crashed = failed_over(KEEPS, "partition", 0, spent=7, undecided=UNDECIDED)
    folder = written(tmp_path, [failed_over(LOSES, "partition", 700), crashed])
    drawn = (folder / "plots" / "failover.svg").read_text(encoding="utf-8")
    assert "losses undecided; 7 tokens spent twice" in drawn
    assert "losses undecided, 7 tokens spent twice" in (folder / "index.html").read_text("utf-8")


def test_sizes_count_the_trials_that_are_decided(tmp_path: Path) -> None:
    """Bars are means over those alone; so is what a declaration is held against."""
    crashed = failed_over(KEEPS, "partition", 0, repeat=2, undecided=UNDECIDED)
    trials = [failed_over(KEEPS, "partition", 9), crashed, failed_over(KEEPS, "kill", 0)]
    run = records.run_of(facts(), trials)
    [contradiction] = summary(run, trials).contradictions
    assert "in 1 of 1 trials" in contradiction.found
    folder = written(tmp_path, trials)
    drawn = (folder / "plots" / "failover.svg").read_text(encoding="utf-8")
    assert "n=1 decided of each fault" in drawn


def outages(*seen: tuple[int, bool]) -> list[Trial]:
    return [
        failed_over(KEEPS, "kill", 0, repeat=repeat, outage_ns=seconds * 10**9, outage_over=over)
        for repeat, (seconds, over) in enumerate(seen, 1)
    ]


@pytest.mark.parametrize(
    ("seen", "median", "longest"),
    [
        ([(2, True), (1, True), (6, True)], (2.0, True), (6, True)),
        ([(2, True), (1, True), (4, False)], (2.0, True), (4, False)),
        ([(4, False), (1, True), (4, False)], (4.0, False), (4, False)),
        # Healed after 1 s, it may have been the longest of all.
        ([(2, True), (1, False), (6, True)], (2.0, False), (6, False)),
        ([(1, True), (3, False)], (2.0, False), (3, False)),
    ],
)
def test_an_outage_that_outlasts_its_fault_makes_the_median_no_shorter(
    seen: list[tuple[int, bool]], median: tuple[float, bool], longest: tuple[int, bool]
) -> None:
    """It was longer than that; how much, nobody knows."""
    trials = outages(*seen)
    [found] = summary(records.run_of(facts(), trials), trials).failovers
    assert found.outage is not None
    assert found.longest_outage is not None
    assert (found.outage.ns / 1e9, found.outage.over) == median
    assert (found.longest_outage.ns / 1e9, found.longest_outage.over) == longest


def test_an_outage_without_end_is_more_than_its_fault(tmp_path: Path) -> None:
    """In the table, in the picture, and in the figures, where it has no value."""
    trials = [*outages((4, False)), failed_over(LOSES, "kill", 9)]
    folder = written(tmp_path, trials)
    assert "&gt; 4,000" in (folder / "comparison.md").read_text(encoding="utf-8")
    drawn = (folder / "plots" / "failover.svg").read_text(encoding="utf-8")
    assert "not served for 4.0 s" in drawn
    assert "served again after 3.0 s" in drawn
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if "served again, med" in row["figure"]]
    found = {row["label"]: (row["value"], row["low"]) for row in rows}
    assert found == {KEEPS: ("", "4e+09"), LOSES: ("3e+09", "")}


def test_a_record_of_before_has_no_outage(tmp_path: Path) -> None:
    """What it has in its place isn't comparable, so it isn't shown."""
    trial = failed_over(KEEPS, "kill", 0, outage_ns=None, outage_over=None)
    old = {**trial.findings, "unavailable_ns": 3 * 10**9}
    for name in ("struck_ns", "outage_ns", "outage_over"):
        del old[name]
    folder = written(tmp_path, [trial.model_copy(update={"findings": old})])
    assert "not measured" in (folder / "comparison.md").read_text(encoding="utf-8")
    drawn = (folder / "plots" / "failover.svg").read_text(encoding="utf-8")
    assert "after 3.0 s" not in drawn


@pytest.mark.parametrize(
    ("disagreements", "said"),
    [(0, "It agrees with the checkers"), (4, "It disagrees with the checkers on 4")],
)
def test_the_cross_check_is_counted(tmp_path: Path, disagreements: int, said: str) -> None:
    """What the search for an order decided, what it did not, and whether it agrees."""
    orders = {"linearizable": 50, "undecided": 9}
    searched = failed_over(KEEPS, "kill", 0, orders=orders, disagreements=disagreements)
    page = (written(tmp_path, [searched]) / "index.html").read_text(encoding="utf-8")
    assert "50 linearizable, 9 undecided" in page
    assert said in page
