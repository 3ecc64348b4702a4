"""Who carries more than whom: ranks of capacities, the A/A control, and what isn't ranked."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import report
from bench.analysis import Summary, summary
from bench.analysis.latency import Rank
from bench.record import Run, Trial
from tests import records
from tests.climbs import FELL_BEHIND, loaded, step
from tests.summaries import subject

AGAIN = " (again)"


def carried(label: str, rate: float, *, ended: dict[str, Any] | None = None, **changed: Any) -> Any:
    """Six trials that carry about `rate`, 3% of noise, and end at a rate where a step fell back."""
    rng = np.random.default_rng(len(label))
    behind: dict[str, Any] = {**FELL_BEHIND, "busy_ns": 79 * 10**8, **(ended or {})}
    steps = [step(1_000), step(3_000, **behind)]
    return [
        loaded(label, n, steps, **{"capacity": rate * rng.lognormal(0, 0.03), **changed})
        for n in range(6)
    ]


def described(*groups: Sequence[Trial]) -> tuple[Run, list[Trial]]:
    trials = [trial for group in groups for trial in group]
    labels = dict.fromkeys(trial.label for trial in trials)
    facts = [
        subject(label, spec=label.removesuffix(AGAIN), control=label.endswith(AGAIN))
        for label in labels
    ]
    return records.run_of(facts, trials), trials


def ranks(*groups: Sequence[Trial]) -> dict[str, Rank | None]:
    found: Summary = summary(*described(*groups))
    return {one.label: one.ranks.get("throughput") for one in found.capacities}


def test_who_carries_more_is_put_first() -> None:
    """Beyond the noise of trials; two that can't be told apart tie behind it."""
    found = ranks(carried("a:x", 2_000), carried("b:yy", 1_500), carried("c:zzz", 1_510))
    assert found == {
        "a:x": Rank(place=1, of=3),
        "b:yy": Rank(place=2, of=3, tie=True),
        "c:zzz": Rank(place=2, of=3, tie=True),
    }


def test_a_gap_inside_the_control_ties() -> None:
    """One store carries 2,000/s, and 3,000/s under its second label: 1,500/s is no worse."""
    groups = carried("a:x", 2_000), carried("b:yy", 1_500)
    assert ranks(*groups)["b:yy"] == Rank(place=2, of=2)
    found = ranks(*groups, carried(f"a:x{AGAIN}", 3_000))
    assert found["a:x"] == found["b:yy"] == Rank(place=1, of=2, tie=True)
    assert found[f"a:x{AGAIN}"] is None


def test_what_the_generator_ended_is_never_ranked() -> None:
    """Neither first nor last: what it would carry isn't known."""
    limited = carried("a:x", 2_000, ended={"busy_ns": 10**9})
    found = ranks(limited, carried("b:yy", 1_500), carried("c:zzz", 1_000))
    assert found["a:x"] is None
    assert found["b:yy"] == Rank(place=1, of=2)


def test_who_carried_all_it_was_offered_is_behind_nobody() -> None:
    """It may carry more than it says; others may be behind it all the same."""
    found = ranks(
        carried("a:x", 2_000), carried("b:yy", 1_500, fails_at=None), carried("c:zzz", 1_000)
    )
    assert found["b:yy"] == Rank(place=1, of=3, tie=True)
    assert found["c:zzz"] == Rank(place=3, of=3)


def test_one_trial_without_an_end_puts_nobody_ahead() -> None:
    """The median of the others is what it was."""
    open_ended = [*carried("b:yy", 1_000, fails_at=None)[:1], *carried("b:yy", 1_000)[1:]]
    found = ranks(carried("a:x", 2_000), open_ended, carried("c:zzz", 1_500))
    assert found["b:yy"] == Rank(place=3, of=3)


def test_a_control_that_only_has_bounds_shows_no_noise() -> None:
    """Both labels end at the highest rate that was offered, whatever the store does."""
    pair = carried("a:x", 2_000, fails_at=None), carried(f"a:x{AGAIN}", 2_000, fails_at=None)
    assert summary(*described(*pair)).load_noise == []
    ended = carried("a:x", 2_000), carried(f"a:x{AGAIN}", 2_000)
    assert len(summary(*described(*ended)).load_noise) == 1


def test_who_carries_nothing_is_last() -> None:
    """Not left out, which would be kinder than it deserves."""
    found = ranks(carried("a:x", 2_000), carried("b:yy", 1, capacity=None))
    assert found["b:yy"] == Rank(place=2, of=2)


def test_ranks_and_noise_are_in_the_page_and_the_table(tmp_path: Path) -> None:
    """The place beside the rate, the control's gap below; and the CSV has both columns."""
    run, trials = described(
        carried("redis:none", 2_000), carried(f"redis:none{AGAIN}", 2_020), carried("mongo:w1", 900)
    )
    page = report.write(records.write(tmp_path / "run", run, trials), tmp_path / "report")
    section = page.read_text().partition('id="load"')[2]
    assert "best" in section
    assert "2 of 2" in section
    assert "Noise of load: the gap between redis:none and redis:none (again)" in section
    assert "This run has no A/A control of load" not in section
    with (page.parent / "figures.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["figure"] == "capacity"]
    placed = {row["label"]: row["rank"] for row in rows}
    assert {name: float(rank) for name, rank in placed.items() if rank} == {
        "redis:none": 1,
        "mongo:w1": 2,
    }
