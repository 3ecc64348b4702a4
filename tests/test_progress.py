"""Progress: what runs, what is done, the time left; on a terminal and anywhere else."""

import io

import pytest
from rich.console import Console

from bench.progress import Lines, Live, Pace, display, left
from bench.record import PlannedTrial, Run, SubjectFacts, Trial
from tests import records


def planned(scenario: str, label: str, repeat: int) -> PlannedTrial:
    return PlannedTrial(
        id=f"{scenario}/c/{label}/{repeat}",
        scenario=scenario,
        case="c",
        label=label,
        repeat=repeat,
        seed=0,
    )


def fact(label: str, backend: str) -> SubjectFacts:
    return SubjectFacts(
        label=label, spec=label, backend=backend, title=label, durability="nothing", lacking={}
    )


PLAN = [
    planned("latency", "redis:none", 1),
    planned("latency", "redis:rdb", 1),
    planned("latency", "memory", 1),
    planned("durability", "redis:none", 1),
    planned("latency", "redis:none", 2),
]


@pytest.fixture
def run() -> Run:
    facts = [fact("redis:none", "redis"), fact("redis:rdb", "redis"), fact("memory", "memory")]
    return records.run_of(facts, [], plan=PLAN)


def finished(trial: PlannedTrial, seconds: float, error: str | None = None) -> Trial:
    return Trial(
        **trial.model_dump(exclude={"seed"}),
        started_at=records.STARTED_AT,
        seconds=seconds,
        status="failed" if error else "ok",
        error=error,
    )


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_learnt_from_trials_of_the_same_kind(run: Run) -> None:
    """Same scenario and backend first, then same scenario, then any."""
    clock = Clock()
    pace = Pace(run, [], clock)
    assert pace.left_seconds() is None
    pace.finished(finished(PLAN[0], 10.0))
    # redis:rdb and redis:none as the one before; memory by scenario, durability by anything.
    assert pace.left_seconds() == 40.0
    pace.finished(finished(PLAN[2], 1.0))
    assert pace.left_seconds() == 10.0 + 5.5 + 10.0


def test_the_time_left_counts_down_and_never_below_zero(run: Run) -> None:
    """Between two trials the estimate follows the clock."""
    clock = Clock()
    pace = Pace(run, [finished(PLAN[0], 10.0)], clock)
    clock.now += 15
    assert pace.left_seconds() == 25.0
    clock.now += 1_000
    assert pace.left_seconds() == 0.0


def test_failed_trials_teach_nothing_about_time(run: Run) -> None:
    """A trial that failed at once doesn't promise that the next ones are as short."""
    pace = Pace(run, [], Clock())
    pace.finished(finished(PLAN[0], 0.01, error="the server died"))
    assert pace.left_seconds() is None
    pace.finished(finished(PLAN[1], 10.0))
    assert pace.left_seconds() == 30.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.0, "a few seconds left"),
        (9.9, "a few seconds left"),
        (33.0, "about 35 s left"),
        (59.9, "about 60 s left"),
        (61.0, "about 1:00 left"),
        (754.0, "about 12:30 left"),
        (3_725.0, "about 1:02:00 left"),
    ],
)
def test_time_is_told_no_finer_than_it_is_known(seconds: float | None, said: str) -> None:
    """Rounded to 5 or 10 seconds."""
    assert left(seconds) == said


def test_without_a_terminal_each_trial_is_one_plain_line(run: Run) -> None:
    """Number, trial, how it ended, time left; no escape codes, no wrapping, no redrawing."""
    written = io.StringIO()
    console = Console(file=written, width=40)
    with display(run, [finished(PLAN[0], 12.0)], console) as progress:
        assert isinstance(progress, Lines)
        for number, trial in enumerate(PLAN[1:], 1):
            progress.started(trial)
            progress.step("rotate, [8] connections")
            error = "[Errno 28] No space left on device" if number == 2 else None
            progress.finished(finished(trial, 12.0, error))
    assert written.getvalue().splitlines() == [
        "[2/5] latency c, redis:rdb: 12.0 s, about 35 s left",
        "[3/5] latency c, memory: FAILED: [Errno 28] No space left on device, about 25 s left",
        "[4/5] durability c, redis:none: 12.0 s, about 10 s left",
        "[5/5] latency c, redis:none 2 of 2: 12.0 s",
    ]


def test_on_a_terminal_it_shows_what_runs_what_is_done_and_the_time_left(run: Run) -> None:
    """The count, the trial, its step, the time left; a failed trial stays; no line is too long."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, legacy_windows=False)
    with display(run, [finished(PLAN[0], 10.0)], console) as progress:
        assert isinstance(progress, Live)
        progress.started(PLAN[1])
        progress.step("rotate, [8] connections, and a step with a name so long that it must be cut")
        progress._bar.refresh()
        drawn = written.getvalue()
        progress.finished(finished(PLAN[1], 10.0, error="[Errno 28] No space left"))
    assert "1/5" in drawn
    assert "latency c, redis:rdb" in drawn
    assert "rotate, [8] connections" in drawn
    assert "…" in drawn
    assert "about 40 s left" in drawn
    assert "latency c, redis:rdb: [Errno 28] No space left" in written.getvalue()


def test_colours_are_left_out_where_they_are_not_wanted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured on a terminal (no-color.org)."""
    monkeypatch.setenv("NO_COLOR", "1")
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, legacy_windows=False)
    with display(run, [], console) as progress:
        progress.started(PLAN[0])
        progress.finished(finished(PLAN[0], 1.0, error="gone"))
    assert "\x1b[31m" not in written.getvalue()
    assert "\x1b[36m" not in written.getvalue()
