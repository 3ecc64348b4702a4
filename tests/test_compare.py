"""Comparing two runs: what is said of what changed, what didn't, and what can't be judged."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.store import Durability
from bench.analysis.comparing import Comparison, Recorded, compare
from bench.analysis.permutation import Block, familywise
from bench.record import Run, SubjectFacts, Trial
from bench.report.changes import as_markdown, headline
from bench.run_folder import RunFolder
from scenarios.latency import LatencyParameters
from tests import records
from tests.cli import Cli, assert_one_line
from tests.noisy import ENVIRONMENT, latency_trials
from tests.summaries import consistency_trial, fault_trial, subject

STORE = subject("a:x")
GITHUB_COMMENT = 65_536
"""Characters that a comment on a pull request may have."""


def recorded(
    trials: Sequence[Trial], facts: Sequence[SubjectFacts] = (STORE,), **run: Any
) -> Recorded:
    described = records.run_of(facts, trials, **{"environment": dict(ENVIRONMENT), **run})
    return Recorded("run", described, trials)


def judged(base: Recorded, new: Recorded, threshold: float = 0.05, **other: Any) -> Comparison:
    return compare(base, new, threshold=threshold, **other)


def verdicts(found: Comparison) -> dict[str, str]:
    return {one.metric: one.verdict for one in found.changes}


class TestSpeed:
    def test_a_slower_store_is_worse_in_every_figure(self) -> None:
        """The ratio of throughput falls where that of latency rises; both are regressions."""
        found = judged(recorded(latency_trials()), recorded(latency_trials(1.1, seed=1)))
        assert verdicts(found) == dict.fromkeys(("throughput", "p50", "p99"), "worse")
        assert found.regressed
        for one, expected in zip(found.changes, (1 / 1.1, 1.1, 1.1), strict=True):
            assert one.ratio == pytest.approx(expected, rel=0.05)
            assert one.low is not None
            assert one.ratio is not None
            assert one.high is not None
            assert one.low < one.ratio < one.high
            assert len(one.base_trials) == len(one.new_trials) == 8

    def test_a_faster_store_is_better(self) -> None:
        """And no regression."""
        found = judged(recorded(latency_trials()), recorded(latency_trials(0.9, seed=1)))
        assert verdicts(found)["p50"] == "better"
        assert not found.regressed

    def test_the_same_code_ties(self) -> None:
        """And the reason is given."""
        found = judged(recorded(latency_trials()), recorded(latency_trials(seed=1)))
        assert {one.verdict for one in found.changes} == {"tie"}
        assert {one.why for one in found.changes} == {"may be chance"}

    def test_worse_within_the_threshold_is_no_regression(self) -> None:
        """It is said all the same."""
        sides = recorded(latency_trials()), recorded(latency_trials(1.1, seed=1))
        found = judged(*sides, threshold=0.3)
        assert "worse" in verdicts(found).values()
        assert not found.regressed

    def test_numbers_of_trials_may_be_unequal(self) -> None:
        """As sampling leaves them."""
        base = recorded(latency_trials(trials=6))
        found = judged(base, recorded(latency_trials(1.1, seed=1, trials=13)))
        assert verdicts(found)["p50"] == "worse"

    def test_three_trials_are_too_few_to_tell(self) -> None:
        """However large the difference: one of twenty ways of dealing them out looks like that."""
        base = recorded(latency_trials(trials=3))
        found = judged(base, recorded(latency_trials(2, seed=1, trials=3)))
        assert {one.verdict for one in found.changes} == {"tie"}
        assert "too few to tell" in found.changes[0].why

    def test_a_change_inside_the_noise_of_either_control_is_a_tie(self) -> None:
        """The control of NEW is 20% off, so 10% means nothing."""
        again = subject("a:x (again)", spec="a:x", control=True)
        facts = [STORE, again]
        base = recorded([*latency_trials(), *latency_trials(label=again.label)], facts)
        new = [*latency_trials(1.1, seed=1), *latency_trials(1.32, seed=1, label=again.label)]
        found = judged(base, recorded(new, facts))
        assert [one.label for one in found.changes] == ["a:x"] * 3
        assert verdicts(found)["p50"] == "tie"
        assert "noise of the A/A control" in found.changes[1].why

    def test_a_slower_machine_is_no_slower_store(self) -> None:
        """Relative to a subject that did not change, what the machine does cancels out."""
        facts = [STORE, subject("b:y")]
        before = [*latency_trials(), *latency_trials(label="b:y")]
        after = [
            *latency_trials(seed=1, drift=1.2),
            *latency_trials(seed=2, drift=1.2, label="b:y"),
        ]
        plain = judged(recorded(before, facts), recorded(after, facts))
        assert {one.verdict for one in plain.changes} == {"worse"}
        relative = judged(recorded(before, facts), recorded(after, facts), relative_to="b:y")
        assert {one.verdict for one in relative.changes} == {"tie"}
        assert {one.label for one in relative.changes} == {"a:x"}


class TestNotComparable:
    @pytest.mark.parametrize(
        ("run", "words"),
        [
            (
                {"environment": {**ENVIRONMENT, "kernel": "9.9"}},
                f"kernel was {ENVIRONMENT['kernel']}, is 9.9",
            ),
            (
                {"parameters": {"latency": LatencyParameters(trials=8, seconds=9).model_dump()}},
                "latency.seconds was 0.5, is 9.0",
            ),
        ],
    )
    def test_what_was_measured_otherwise(self, run: dict[str, Any], words: str) -> None:
        """Each figure says what differs, and nothing is judged."""
        found = judged(recorded(latency_trials()), recorded(latency_trials(2), **run))
        assert {one.verdict for one in found.changes} == {"not comparable"}
        assert found.differences == [words]
        assert found.changes[0].why == words
        assert not found.comparable
        assert words in as_markdown(found)

    def test_what_is_compared_may_differ(self) -> None:
        """Named by the user, the difference is the subject of the comparison."""
        versions = {**ENVIRONMENT["versions"], "redis server": "9.0 (wheel)"}
        newer = recorded(latency_trials(2), environment={**ENVIRONMENT, "versions": versions})
        found = judged(recorded(latency_trials()), newer, across=["redis server"])
        assert verdicts(found)["p50"] == "worse"
        assert "Compared across a difference in redis server" in as_markdown(found)

    def test_a_name_in_which_nothing_differs_is_told_of(self) -> None:
        """It may be a slip, and the page doesn't say that anything was compared across it."""
        found = judged(recorded(latency_trials()), recorded(latency_trials()), across=["kernal"])
        assert "They don't differ in kernal, named by --across." in as_markdown(found)
        assert "Compared across" not in as_markdown(found)

    def test_a_limited_cell_is_not_judged(self) -> None:
        """The client was the limit, so the store's change can't be seen."""
        busy = recorded(latency_trials(2, client_cpu_ns=195_000_000))
        found = judged(recorded(latency_trials()), busy)
        assert {one.verdict for one in found.changes} == {"not comparable"}
        assert found.changes[0].why.startswith("in NEW: generator-limited, each client process")

    def test_a_subject_of_one_run_alone_is_named(self) -> None:
        """It is not left out in silence."""
        facts = [STORE, subject("b:y")]
        both = recorded([*latency_trials(), *latency_trials(label="b:y")], facts)
        found = judged(both, recorded(latency_trials(), facts))
        missing = {one.label: one.why for one in found.every if one.verdict == "not comparable"}
        assert missing == {"b:y": "not measured in NEW"}

    def test_settings_read_back_must_agree(self) -> None:
        """A store that is faster because it was set up otherwise isn't faster."""
        lax = [one.model_copy(update={"settings": {"fsync": "off"}}) for one in latency_trials(0.5)]
        found = judged(recorded(latency_trials()), recorded(lax))
        assert found.changes[0].why == "fsync was None, is off"


class TestHarms:
    def harms(self, base: Sequence[Trial], new: Sequence[Trial], **fact: Any) -> dict[str, str]:
        facts = [subject("a:x", **fact)]
        found = judged(recorded(base, facts), recorded(new, facts))
        return {one.harm: one.verdict for one in found.harms}

    def test_a_promise_broken_for_the_first_time(self) -> None:
        """One lost write of a store that declares to lose none, in one trial, is enough."""
        harms = self.harms([fault_trial("a:x", 1)], [fault_trial("a:x", 1, lost_writes=1)])
        assert harms["lost writes on crash"] == "worse"
        assert harms["lost sessions on crash"] == "tie"

    def test_what_may_be_lost_must_be_lost_more_often_beyond_chance(self) -> None:
        """In one trial it may be chance; in eight it isn't."""
        few = [fault_trial("a:x", n) for n in range(8)]
        many = [fault_trial("a:x", n, lost_writes=5 + n) for n in range(8)]
        lacking = {"survives_crash": "not synced"}
        once = self.harms(few[:1], many[:1], durability=Durability.RESTART, lacking=lacking)
        assert once["lost writes on crash"] == "tie"
        often = self.harms(few, many, durability=Durability.RESTART, lacking=lacking)
        assert often["lost writes on crash"] == "worse"
        back = self.harms(many, few, durability=Durability.RESTART, lacking=lacking)
        assert back["lost writes on crash"] == "better"

    def test_what_nobody_can_tell_is_no_pass(self) -> None:
        """One trial whose checker crashed is enough, whatever the others found."""
        blind = fault_trial("a:x", 1, undecided="KeyError: 'w1'")
        harms = self.harms(
            [fault_trial("a:x", 0), fault_trial("a:x", 1)], [fault_trial("a:x", 0), blind]
        )
        assert harms["undecided trials of durability"] == "worse"
        assert harms["lost writes on crash"] == "tie"

    def test_double_spends(self) -> None:
        """The first is one too many; fewer than before is better."""
        clean, racy = [consistency_trial("a:x", {1: 59})], [consistency_trial("a:x", {1: 50, 2: 9})]
        name = "double spends among 4 instances"
        assert self.harms(clean, racy)[name] == "worse"
        assert self.harms(racy, clean)[name] == "better"
        assert self.harms(racy, racy)[name] == "tie"

    def test_trials_that_fail_are_no_missing_figures(self) -> None:
        """A store that no longer comes out is a regression, not a gap in the table."""
        died = [
            one.model_copy(update={"status": "failed", "error": "died", "findings": {}})
            for one in latency_trials()
        ]
        found = judged(recorded(latency_trials()), recorded(died))
        assert found.regressed
        [harm] = [one for one in found.harms if one.verdict == "worse"]
        assert (harm.harm, harm.new, harm.new_of) == ("failed trials of latency", 8, 8)


def test_the_family_is_held_against_dealing_out_by_hand() -> None:
    """Three and three trials apart: two of the twenty ways are as far apart as what was seen."""
    block = Block(np.log([[1.0], [1.1], [1.2]]), np.log([[2.0], [2.1], [2.2]]))
    [[p]] = familywise([block], seed=1, dealings=20_000)
    assert p == pytest.approx(0.1, abs=0.01)


def test_more_figures_in_the_family_ask_for_more() -> None:
    """A figure beside fifty that are noise is not as sure as it is alone."""
    rng = np.random.default_rng(1)
    base, new = rng.normal(0, 0.05, (6, 51)), rng.normal(0, 0.05, (6, 51))
    new[:, 0] += 0.12
    [[alone]] = familywise([Block(base[:, :1], new[:, :1])], seed=1)
    [among] = familywise([Block(base, new)], seed=1)
    assert alone < among[0]


Runs = Callable[..., None]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Put two runs into ./results, `before` and `after`."""

    def write(slower: float, **after: Any) -> None:
        for name, factor, other in (("before", 1.0, {}), ("after", slower, after)):
            side = recorded(latency_trials(factor, seed=len(name)), **other)
            records.write(tmp_path / "results" / name, side.run, side.trials)

    return write


class TestCommand:
    def test_exit_code_and_table(self, cli: Cli, runs: Runs, tmp_path: Path) -> None:
        """1 on a regression, with what changed, and Markdown where it is asked for."""
        runs(1.2)
        said = cli("compare", "before", "after", "--output", "comment.md")
        assert said.code == 1
        assert "rotate @8 p50" in said.out
        assert "regression: 3 worse, 0 better" in said.out
        text = (tmp_path / "comment.md").read_text()
        assert text.startswith("### refreshbench compare: regression: 3 worse")
        assert "latency/closed-loop/a:x/{1,2,3,4,5,6,7,8}" in text
        assert cli("compare", "before", "after", "--markdown").out == text

    def test_the_same_code_passes(self, cli: Cli, runs: Runs) -> None:
        """0, and ties are counted."""
        runs(1.0)
        said = cli("compare", "before", "after")
        assert said.code == 0
        assert "no regression: 0 worse, 0 better" in said.out

    def test_json_has_every_figure_with_its_trials(self, cli: Cli, runs: Runs) -> None:
        """And reads back as what it was made from."""
        runs(1.2)
        found = Comparison.model_validate(cli("compare", "before", "after", "--json").json())
        assert found.regressed
        assert all(one.base_trials and one.new_trials for one in found.changes)

    def test_what_cannot_be_compared_passes_no_gate(self, cli: Cli, runs: Runs) -> None:
        """Exit code 2, and the line says what differs."""
        runs(1.0, environment={**ENVIRONMENT, "kernel": "9.9"})
        said = cli("compare", "before", "after")
        assert said.code == 2
        assert said.err.splitlines()[-1].startswith("refreshbench: nothing of before and after can")
        assert "is 9.9" in said.err

    @pytest.mark.parametrize(
        ("arguments", "part"),
        [
            (["before", "nowhere"], "no run 'nowhere'"),
            (["before", "after", "--threshold", "much"], "write a share, such as 5% or 0.05"),
            (["before", "after", "--threshold", "-1"], "write a share"),
            (["before", "after", "--relative-to", "b:y"], "was not measured in both runs"),
            (["before", "after", "--json", "--markdown"], "choose one"),
            (["before", "after", "--output", "no/such/file"], "can't be written"),
        ],
    )
    def test_wrong_use(self, cli: Cli, runs: Runs, arguments: Sequence[str], part: str) -> None:
        """One line, exit code 2."""
        runs(1.0)
        assert_one_line(cli("compare", *arguments), 2, part)


def test_a_whole_comparison_fits_a_comment() -> None:
    """Every figure of the default comparison, and each limited or tied one says so."""
    folder = RunFolder(Path(__file__).parents[1] / "results" / "reference")
    run: Run = folder.run()
    side = Recorded("reference", run, folder.trials())
    found = judged(side, side)
    text = as_markdown(found)
    assert len(text) < GITHUB_COMMENT
    assert "0 worse, 0 better" in headline(found)
    for one in found.changes:
        name = f"{one.workload} @{one.connections} {one.metric}"
        assert name in text
        assert one.verdict in {"tie", "not comparable"}
        assert one.why
