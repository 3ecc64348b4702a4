"""How a run gets on: a live display on a terminal, one plain line a trial anywhere else.

Everything goes to stderr; stdout belongs to results.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from bench.record import PlannedTrial, Run, Trial


class Timed(Protocol):
    """A planned or a finished trial."""

    @property
    def id(self) -> str:
        """Which trial."""

    @property
    def scenario(self) -> str:
        """Its scenario."""

    @property
    def label(self) -> str:
        """Its subject."""


class Pace:
    """Estimates the time left from what finished trials took.

    A trial to come is taken to need what finished ones of the same scenario and backend took on
    average; else of the same scenario; else any.
    """

    def __init__(
        self, run: Run, done: Iterable[Trial], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend: Mapping[str, str] = {fact.label: fact.backend for fact in run.subjects}
        self._left = {trial.id: trial for trial in run.plan}
        self._seconds: dict[tuple[str, ...], list[float]] = {}
        self._clock = clock
        self._since = clock()
        for trial in done:
            self.finished(trial)

    def finished(self, trial: Trial) -> None:
        """Learn from a trial; a failed one says nothing about how long the next takes."""
        self._left.pop(trial.id, None)
        self._since = self._clock()
        if trial.status == "ok":
            for key in self._keys(trial):
                self._seconds.setdefault(key, []).append(trial.seconds)

    def spared(self, trial: PlannedTrial) -> None:
        """Expect a planned trial no longer."""
        self._left.pop(trial.id, None)

    def left_seconds(self) -> float | None:
        """Estimate; None until a trial has finished."""
        if not self._seconds:
            return None
        total = sum(self._expected(trial) for trial in self._left.values())
        return max(total - (self._clock() - self._since), 0.0)

    def _keys(self, trial: Timed) -> Sequence[tuple[str, ...]]:
        return (trial.scenario, self._backend.get(trial.label, "")), (trial.scenario,), ()

    def _expected(self, trial: PlannedTrial) -> float:
        known = next(key for key in self._keys(trial) if key in self._seconds)
        return statistics.fmean(self._seconds[known])


def display(
    run: Run, done: Sequence[Trial], console: Console
) -> "AbstractContextManager[Lines | Live]":
    """Give the display that suits the console."""
    pace = Pace(run, done)
    if console.is_terminal:
        return Live(run, len(done), pace, console)
    return Lines(run, len(done), pace, console)


class Lines:
    """One line for each finished trial."""

    def __init__(self, run: Run, done: int, pace: Pace, console: Console) -> None:
        self._total = len(run.plan)
        self._repeats = repeats(run.plan)
        self._done = done
        self._pace = pace
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def started(self, trial: PlannedTrial) -> None:
        """Nothing yet: the line comes when there is something to say."""

    def step(self, text: str) -> None:
        """Nothing: steps are for who watches."""

    def finished(self, trial: Trial) -> None:
        """Write the trial's line."""
        self._pace.finished(trial)
        self._done += 1
        ended = f"{trial.seconds:.1f} s" if trial.status == "ok" else f"FAILED: {trial.error}"
        is_last = self._done == self._total
        to_come = "" if is_last else left(self._pace.left_seconds())
        line = f"[{self._done}/{self._total}] {title(trial, self._repeats)}: {ended}"
        # soft_wrap: a line is a line, however narrow whoever reads it later.
        self._console.print(
            ", ".join(filter(None, [line, to_come])),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def spared(self, trial: PlannedTrial) -> None:
        """Count one less."""
        self._pace.spared(trial)
        self._total -= 1


class Live:
    """What runs now, what is done, the time gone and left; failed trials stay in sight above."""

    def __init__(self, run: Run, done: int, pace: Pace, console: Console) -> None:
        self._pace = pace
        self._repeats = repeats(run.plan)
        self._bar = _TwoLines(
            SpinnerColumn(),
            MofNCompleteColumn(),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            _LeftColumn(pace),
            console=console,
            transient=True,
        )
        self._total = len(run.plan)
        self._task = self._bar.add_task("", total=self._total, completed=done)
        self._title = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.stop()

    def started(self, trial: PlannedTrial) -> None:
        """Show which trial runs."""
        self._title = title(trial, self._repeats)
        self._bar.now = Text(self._title)

    def step(self, text: str) -> None:
        """Show what the trial is at."""
        self._bar.now = Text.assemble(self._title, (f": {text}", "dim"))

    def finished(self, trial: Trial) -> None:
        """Count the trial, and leave a line of it if it failed."""
        self._pace.finished(trial)
        self._bar.advance(self._task)
        if trial.status == "failed":
            failed = f" {title(trial, self._repeats)}: {trial.error}"
            self._bar.console.print(Text.assemble(("failed", "red"), failed))

    def spared(self, trial: PlannedTrial) -> None:
        """Take it off the bar's length."""
        self._pace.spared(trial)
        self._total -= 1
        self._bar.update(self._task, total=self._total)


class _TwoLines(Bar):
    """The bar, and below it what runs now, cut where the terminal ends."""

    now = Text()

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw both."""
        yield from super().get_renderables()
        line = self.now.copy()
        line.no_wrap, line.overflow = True, "ellipsis"
        yield line


class _LeftColumn(ProgressColumn):
    """The time left, counting down between trials."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """Draw it."""
        del task
        return Text(left(self._pace.left_seconds()), style="cyan")


def repeats(plan: Iterable[PlannedTrial]) -> Mapping[tuple[str, str, str], int]:
    """Count how often each (scenario, case, label) is planned."""
    counts: dict[tuple[str, str, str], int] = {}
    for trial in plan:
        key = (trial.scenario, trial.case, trial.label)
        counts[key] = counts.get(key, 0) + 1
    return counts


def title(trial: PlannedTrial | Trial, counts: Mapping[tuple[str, str, str], int]) -> str:
    """Name a trial for people."""
    of = counts[trial.scenario, trial.case, trial.label]
    which = f" {trial.repeat} of {of}" if of > 1 else ""
    return f"{trial.scenario} {trial.case}, {trial.label}{which}"


def left(seconds: float | None) -> str:
    """Say the time left, no finer than it is known; nothing if it isn't."""
    if seconds is None:
        return ""
    if seconds < 10:  # noqa: PLR2004 - below, an estimate in seconds is noise
        return "a few seconds left"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"about {round(seconds / 5) * 5} s left"
    minutes, rest = divmod(round(seconds / 10) * 10, 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"about {hours}:{minutes:02}:{rest:02} left" if hours else f"about {minutes}:{rest:02} left"
    )
