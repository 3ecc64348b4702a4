"""Zeros: a cell that lost nothing takes more trials, so that its zero says more."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from backends.store import Durability
from bench.analysis import summary
from bench.analysis.comparable import asked_otherwise
from bench.analysis.estimate import share_interval, zero_bound
from bench.analysis.sampling import Sampler, left
from bench.errors import WrongUse
from bench.options import RunOptions
from bench.record import PlannedTrial, Run, SubjectFacts, Trial
from bench.run_folder import RunFolder
from scenarios import durability
from scenarios.durability import DurabilityFindings, DurabilityParameters
from scenarios.scenario import Effort
from tests import records
from tests.played import Play, player

FIRST, AT_ZERO = 4, 9
LOSES: dict[str, Callable[[int], bool]] = {
    "keeps:x": lambda repeat: False,
    "loses:x": lambda repeat: repeat == 3,
    "late:x": lambda repeat: repeat == 6,
    "fails:x": lambda repeat: False,
    "client:x": lambda repeat: False,
    "blind:x": lambda repeat: False,
}
"""Subject -> whether it loses something in a trial; one fails whatever it loses, of one nobody can
tell."""


def described(at_zero: int = AT_ZERO) -> Run:
    """A run of `durability` on stores that differ in when they lose."""
    asked = DurabilityParameters(trials=FIRST, trials_at_zero=at_zero, faults=("crash",))
    held = {"client:x": Durability.CLIENT}
    facts = [
        SubjectFacts(
            label=label,
            spec=label,
            backend="x",
            title="X",
            durability=held.get(label, Durability.CRASH),
            lacking={},
        )
        for label in LOSES
    ]
    plan = [
        PlannedTrial(
            id=f"durability/crash/{fact.label}/{repeat}",
            scenario="durability",
            case="crash",
            label=fact.label,
            repeat=repeat,
            seed=repeat,
        )
        for repeat in range(1, asked.most_trials + 1)
        for fact in facts
    ]
    parameters = {"durability": asked.model_dump(mode="json")}
    return records.run_of(facts, [], plan=plan, parameters=parameters)


def taken(planned: PlannedTrial) -> Trial:
    """What a trial gives."""
    share = 0.25 if LOSES[planned.label](planned.repeat) else 0.0
    findings = records.lost("crash", 100, share, np.random.default_rng(planned.repeat))
    trial = records.trial(planned.label, "durability", "crash", planned.repeat, findings)
    if planned.label == "fails:x":
        return trial.model_copy(update={"status": "failed", "findings": {}, "error": "no disk"})
    if planned.label == "blind:x":
        undecided = {**trial.findings, "undecided": "KeyError: 'w1'"}
        return trial.model_copy(update={"findings": undecided})
    return trial


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run, or go on with, a run; give what the display was told."""
    return player(taken, tmp_path / "scratch", monkeypatch)


def numbers(trials: Sequence[Trial]) -> dict[str, int]:
    counted = Counter(trial.label for trial in trials)
    return {label: counted[label] for label in LOSES}


def test_only_a_cell_that_lost_nothing_goes_on(tmp_path: Path, play: Play) -> None:
    """And to its end, also where it loses something later; each trial beyond says why."""
    folder = RunFolder.create(tmp_path / "run", described())
    told = play(folder)
    trials = folder.trials()
    assert numbers(trials) == {
        "keeps:x": AT_ZERO,
        "loses:x": FIRST,
        "late:x": AT_ZERO,
        "fails:x": FIRST,
        "client:x": FIRST,
        "blind:x": FIRST,
    }
    assert told.count("spared loses:x") == AT_ZERO - FIRST
    assert {(trial.repeat > FIRST, trial.because) for trial in trials} == {
        (False, None),
        (True, "nothing lost in the first 4 trials"),
    }
    assert left(folder.run(), trials) == []
    found = summary(folder.run(), trials)
    assert found.spared == 4 * (AT_ZERO - FIRST)
    bounds = {one.label: one.losses["lost_writes"].bound for one in found.faults}
    assert bounds["keeps:x"] == pytest.approx(1 - 0.05 ** (1 / AT_ZERO))
    assert bounds["loses:x"] is bounds["late:x"] is None


def test_it_is_off_unless_asked_for(tmp_path: Path, play: Play) -> None:
    """Without a larger number, no cell has more than its first trials."""
    folder = RunFolder.create(tmp_path / "run", described(at_zero=0))
    play(folder)
    assert set(numbers(folder.trials()).values()) == {FIRST}


@pytest.mark.parametrize("moment", range(1, 3 * FIRST + 2 * AT_ZERO, 3))
def test_a_killed_run_goes_on_as_it_would_have(tmp_path: Path, play: Play, moment: int) -> None:
    """After any trial: the same trials in the same order."""
    whole = RunFolder.create(tmp_path / "whole", described())
    play(whole)
    killed = RunFolder.create(tmp_path / "killed", described())
    with pytest.raises(KeyboardInterrupt):
        play(killed, kill_after=moment)
    assert len(killed.trials()) == moment
    play(killed)
    assert killed.trials() == whole.trials()


def test_who_has_enough_is_counted_no_longer(tmp_path: Path, play: Play) -> None:
    """The display is told of all that a cell will not take as soon as that is known."""
    folder = RunFolder.create(tmp_path / "run", described())
    told = play(folder)
    first = told.index("spared loses:x")
    assert told[first : first + AT_ZERO - FIRST] == ["spared loses:x"] * (AT_ZERO - FIRST)
    # Before the next round begins, of which only two cells are left.
    assert sum(line.startswith("ok ") for line in told[first:]) >= 2 * (AT_ZERO - FIRST) - 2


def test_what_is_planned_is_the_least_until_something_is_known() -> None:
    """A run says at its start how many trials it may take: from the first ones to all."""
    run = described()
    assert len(left(run, [])) == len(LOSES) * FIRST
    assert len(run.plan) == len(LOSES) * AT_ZERO
    late = [planned for planned in run.plan if planned.repeat == FIRST + 1]
    assert not any(Sampler(run).need(planned).taken for planned in late)


def test_runs_with_other_numbers_are_compared() -> None:
    """How often a zero was looked at is no other question."""
    assert asked_otherwise(described(), described(at_zero=0), "durability") == []


def test_thorough_effort_asks_for_it_and_the_others_do_not() -> None:
    """60, and 300 for a zero; the number can be set."""
    presets = durability.SCENARIO.presets
    most = {effort: (presets[effort].trials, presets[effort].most_trials) for effort in Effort}
    assert most == {Effort.QUICK: (3, 3), Effort.STANDARD: (10, 10), Effort.THOROUGH: (60, 300)}
    options = {"scenarios": ("durability",), "set": ("durability.trials_at_zero=20",)}
    asked = RunOptions.parse(options).parameters()["durability"]
    assert (asked.trials, asked.most_trials) == (3, 20)
    with pytest.raises(WrongUse, match="trials_at_zero"):
        RunOptions.parse({**options, "set": ("durability.trials_at_zero=-1",)}).parameters()


def test_what_counts_as_a_zero_is_what_the_table_prints() -> None:
    """Acknowledged writes that are gone, of whatever kind."""
    assert durability.SCENARIO.harm is not None
    some = records.lost("crash", 100, 0.5, np.random.default_rng(1))
    assert isinstance(some, DurabilityFindings)
    assert durability.SCENARIO.harm(some) == some.lost_writes == 50


def test_what_is_printed_after_two_steps_holds_the_true_share() -> None:
    """Computed exactly, at shares all over: docs/method.md has the figures."""

    def printed(trials: int) -> NDArray[np.float64]:
        """Give the interval for each number of trials that lost something."""
        some = [share_interval(hits, trials) for hits in range(1, trials + 1)]
        return np.array([(0.0, zero_bound(trials)), *some])

    first, all_of_them = printed(60), printed(300)

    def holds(share: float) -> float:
        in_first = binom.pmf(np.arange(61), 60, share)
        later = binom.pmf(np.arange(241), 240, share)
        within_first = (first[:, 0] <= share) & (share <= first[:, 1])
        within = (all_of_them[:241, 0] <= share) & (share <= all_of_them[:241, 1])
        return float(in_first[1:] @ within_first[1:] + in_first[0] * (later @ within))

    shares = [*np.geomspace(1e-4, 0.2, 400), *np.linspace(0.2, 0.99, 200)]
    coverage = [holds(share) for share in shares]
    assert min(coverage) == pytest.approx(0.927, abs=0.001)
    assert shares[int(np.argmin(coverage))] == pytest.approx(0.010, abs=0.001)
    assert np.mean(np.array(coverage) >= 0.95) > 0.99
