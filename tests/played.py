"""Runs whose trials take no server and no time, through the real runner and record."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.record import PlannedTrial, Trial
from bench.run_folder import RunFolder
from bench.runner import Runner
from bench.workspace import Workspace

Play = Callable[..., Sequence[str]]


class Silent:
    """A progress display that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, trial: PlannedTrial) -> None:
        self.told.append(f"started {trial.label}")

    def step(self, text: str) -> None:
        pass

    def finished(self, trial: Trial) -> None:
        self.told.append(f"{trial.status} {trial.label}")

    def spared(self, trial: PlannedTrial) -> None:
        self.told.append(f"spared {trial.label}")


class Played(Runner):
    """A runner that is given its trials; it can be killed after some."""

    give: Callable[[PlannedTrial], Trial]
    kill_after: int | None = None

    def _trial(self, planned: PlannedTrial) -> Trial:
        if self.kill_after == 0:
            raise KeyboardInterrupt
        if self.kill_after is not None:
            self.kill_after -= 1
        return self.give(planned)


def player(
    give: Callable[[PlannedTrial], Trial], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> Play:
    """Give what runs, or goes on with, a run, and gives what the display was told."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(scratch))
    monkeypatch.setattr("backends.resolve", lambda spec: spec)

    def play(folder: RunFolder, kill_after: int | None = None) -> Sequence[str]:
        display = Silent()
        with Workspace() as workspace:
            runner = Played(
                folder=folder, run=folder.run(), servers={}, workspace=workspace, progress=display
            )
            runner.give = give
            runner.kill_after = kill_after
            runner.execute(folder.trials())
        return display.told

    return play
