"""Sampling: trials go on until figures are known closely enough, and a resumed run agrees."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from backends.store import Durability
from bench.analysis import summary
from bench.analysis.sampling import Sampler, left
from bench.record import PlannedTrial, Run, SubjectFacts, Trial
from bench.report.cells import sampled_cell
from bench.run_folder import RunFolder
from scenarios import latency
from scenarios.latency import LatencyFindings, LatencyParameters
from tests import records
from tests.played import Play, player

NOISE = {"quiet:x": 0.005, "noisy:x": 0.4}
"""Subject -> the spread of its trials' latencies."""
LEAST, MORE = 6, 8


def described(**asked: float) -> Run:
    """A run of two subjects, one steady and one not."""
    parameters = LatencyParameters.model_validate(
        {"trials": LEAST, "more_trials": MORE, "precision": 0.05, **asked}
    )
    facts = [
        SubjectFacts(
            label=label, spec=label, backend="x", title="X", durability=Durability.NONE, lacking={}
        )
        for label in NOISE
    ]
    planned = [
        PlannedTrial(
            id=f"latency/closed-loop/{fact.label}/{repeat}",
            scenario="latency",
            case="closed-loop",
            label=fact.label,
            repeat=repeat,
            seed=repeat,
        )
        for repeat in range(1, parameters.trials + parameters.more_trials + 1)
        for fact in facts
    ]
    return records.run_of(
        facts, [], plan=planned, parameters={"latency": parameters.model_dump(mode="json")}
    )


def taken(planned: PlannedTrial) -> Trial:
    """What a trial gives: the same whenever it is run."""
    rng = np.random.default_rng([planned.repeat, len(planned.label)])
    # Alternately below and above, so that no streak of luck looks like precision.
    factor = np.exp(NOISE[planned.label] * (1 if planned.repeat % 2 else -1) * rng.uniform(0.5, 1))
    cell = records.cell(
        "rotate",
        8,
        {"rotate": records.samples([100.0 * factor] * 200)},
        elapsed_ns=int(1e8 * factor),
    )
    return records.trial(
        planned.label, "latency", "closed-loop", planned.repeat, LatencyFindings(cells=[cell])
    )


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run, or go on with, a run; give what the display was told."""
    return player(taken, tmp_path / "scratch", monkeypatch)


def numbers(trials: Iterable[Trial]) -> dict[str, int]:
    labels = [trial.label for trial in trials]
    return {label: labels.count(label) for label in NOISE}


def test_trials_go_on_until_the_figures_are_known_closely_enough(
    tmp_path: Path, play: Play
) -> None:
    """The steady subject ends at the least number, the other at the most; both say why."""
    folder = RunFolder.create(tmp_path / "run", described())
    told = play(folder)
    trials = folder.trials()
    assert numbers(trials) == {"quiet:x": LEAST, "noisy:x": LEAST + MORE}
    assert told.count("spared quiet:x") == MORE
    assert [trial.because is None for trial in trials if trial.label == "quiet:x"] == [True] * LEAST
    extra = [trial for trial in trials if trial.because]
    assert len(extra) == MORE
    assert all("is wider than ±5.0%" in str(trial.because) for trial in extra)
    found = summary(folder.run(), trials)
    assert (found.planned, found.finished, found.spared) == (len(trials), len(trials), MORE)
    why = {cell.label: cell.sampled.stopped for cell in found.cells if cell.sampled}
    assert why == {"quiet:x": "precise", "noisy:x": "trials"}
    quiet, noisy = (sampled_cell(cell) for cell in found.cells)
    assert quiet.detail == "as narrow as asked (± 5%)"
    assert noisy.detail == "most trials spent, ± 5% asked"
    assert left(folder.run(), trials) == []


def test_the_budget_of_seconds_ends_it(tmp_path: Path, play: Play) -> None:
    """A trial takes 2.5 s: after six rounds of two, 30 s are spent, and one more round begins."""
    folder = RunFolder.create(tmp_path / "run", described(budget_seconds=30))
    play(folder)
    assert numbers(folder.trials()) == {"quiet:x": LEAST, "noisy:x": LEAST + 1}
    found = summary(folder.run(), folder.trials())
    assert [cell.sampled.stopped for cell in found.cells if cell.sampled] == ["precise", "seconds"]


@pytest.mark.parametrize("moment", range(1, 2 * LEAST + MORE))
def test_a_killed_run_goes_on_as_it_would_have(tmp_path: Path, play: Play, moment: int) -> None:
    """After any trial: the same trials in the same order, none lost and none twice."""
    whole = RunFolder.create(tmp_path / "whole", described())
    play(whole)
    killed = RunFolder.create(tmp_path / "killed", described())
    with pytest.raises(KeyboardInterrupt):
        play(killed, kill_after=moment)
    assert len(killed.trials()) == moment
    assert left(killed.run(), killed.trials())
    play(killed)
    assert killed.trials() == whole.trials()


def test_a_round_does_not_decide_about_itself() -> None:
    """Whichever subject comes first in a round: what is needed was settled before it."""
    run = described()
    before = [taken(planned) for planned in run.plan if planned.repeat <= LEAST]
    ninth = [planned for planned in run.plan if planned.repeat == LEAST + 1]
    settled = [Sampler(run, before).need(planned) for planned in ninth]
    during = Sampler(run, [*before, *map(taken, ninth)])
    assert [during.need(planned) for planned in ninth] == settled


def test_a_run_of_an_older_format_has_no_more_than_its_plan() -> None:
    """It knows nothing of precision; how closely its cells are known is said all the same."""
    run, trials = records.example(["latency"])
    older = run.model_copy(update={"format": 1})
    found = summary(older, trials)
    assert found.spared == 0
    stopped = {cell.sampled.stopped for cell in found.cells if cell.sampled}
    assert stopped <= {"precise", "trials"}
    assert all(
        (cell.sampled is None) == (not cell.whole or "n/a" in cell.why) for cell in found.cells
    )


def test_quick_effort_takes_no_more_than_its_five() -> None:
    """The others go on where it helps."""
    presets = latency.SCENARIO.presets.values()
    most = [p.trials + p.more_trials for p in presets if isinstance(p, LatencyParameters)]
    assert most == [5, 20, 50]
