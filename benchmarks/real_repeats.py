"""How often `compare` says worse of real runs: of the same code, and of a store slowed by 10%.

    python -m benchmarks.real_repeats [pairs] [--write]

Each run goes through the runner, with its A/A control, on a store that takes an exact time for
every call. Runs of the two speeds take turns, each compared with its neighbour of the other speed,
and with the next one of its own. The store waits by the clock, so its own speed can't drift; what
is left is the noise of scheduling, of which a busy machine has plenty.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import backends
import scenarios
from bench.analysis.comparing import Comparison, Recorded, compare
from bench.environment import Environment
from bench.machine import collect
from bench.plan import facts, plan
from bench.record import PlannedTrial, Run, Trial
from bench.run_folder import RunFolder
from bench.runner import Runner
from bench.workspace import Workspace
from benchmarks.published import publish
from scenarios.latency import LatencyParameters

UNIT_SECONDS = 1e-3
SLOWDOWN = 1.10
PAIRS = 20
THRESHOLD = 0.05

STORE = '''"""A store in memory in which every call takes an exact time."""

import time

from backends.memory import MemoryStore
from backends.store import Policy

SECONDS = {seconds}
SPIN_SECONDS = 200e-6


class Waits(MemoryStore):
    pass


def waiting(method):
    def call(self, *arguments, **named):
        end = time.monotonic() + SECONDS
        outcome = method(self, *arguments, **named)
        time.sleep(max(end - time.monotonic() - SPIN_SECONDS, 0))
        while time.monotonic() < end:
            pass
        return outcome
    return call


for name in ("issue", "verify", "rotate", "revoke"):
    setattr(Waits, name, waiting(getattr(MemoryStore, name)))


def make():
    return Waits(Policy())
'''

PARAMETERS = LatencyParameters(
    trials=6, connections=(1,), seconds=0.15, warmup_seconds=0.02, sessions=50
)


class Rates(NamedTuple):
    """Of how many comparisons, and in how many of them worse was said."""

    pairs: int
    slower_found: int
    """Of the slowed store: a regression beyond the threshold, which is exit code 1."""
    alike: int
    alike_worse: int
    """Of the same code: any figure said to be worse."""
    alike_failed: int
    """... and beyond the threshold."""

    def rows(self) -> Sequence[str]:
        """Write the rows of the table in docs/method.md."""
        return [
            "| compared | comparisons | said worse | exit code 1 |",
            "|---|---|---|---|",
            f"| the same code | {self.alike} | {self.alike_worse} | {self.alike_failed} |",
            f"| slowed by 10% | {self.pairs} | {self.slower_found} | {self.slower_found} |",
        ]


def measure(pairs: int) -> Rates:
    """Run `pairs` pairs of runs, by turns, and compare them."""
    plain: list[Recorded] = []
    slowed: list[Recorded] = []
    with Workspace() as workspace:
        environment = collect(workspace.path)
        folder = workspace.folder("repeats")
        for number in range(pairs):
            for runs, name, factor in ((plain, "plain", 1.0), (slowed, "slowed", SLOWDOWN)):
                file = folder / f"{name}.py"
                file.write_text(STORE.replace("{seconds}", repr(UNIT_SECONDS * factor)))
                place = folder / f"{name}-{number}"
                runs.append(_recorded(file, place, number, environment, workspace))
                sys.stderr.write(f"{place.name}\n")
    slower = [_compared(*pair) for pair in zip(plain, slowed, strict=True)]
    alike = [
        _compared(*pair)
        for runs in (plain, slowed)
        for pair in zip(runs[::2], runs[1::2], strict=False)
    ]
    return Rates(
        pairs=len(slower),
        slower_found=sum(found.regressed for found in slower),
        alike=len(alike),
        alike_worse=sum(any(one.verdict == "worse" for one in found.every) for found in alike),
        alike_failed=sum(found.regressed for found in alike),
    )


class Quiet:
    """A progress display that shows nothing."""

    def started(self, trial: PlannedTrial) -> None:
        """Nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def finished(self, trial: Trial) -> None:
        """Nothing."""

    def spared(self, trial: PlannedTrial) -> None:
        """Nothing."""


def _recorded(
    file: Path, place: Path, seed: int, environment: Environment, workspace: Workspace
) -> Recorded:
    """Run the store of `file` and its A/A control, under a label that both speeds share."""
    subject = backends.resolve(f"{file}:make")
    described = [
        fact.model_copy(update={"label": fact.label.replace(fact.spec, "store")})
        for fact in facts([subject], control=True)
    ]
    run = Run(
        started_at=datetime.now(UTC),
        seed=seed,
        effort="quick",
        options={},
        parameters={"latency": PARAMETERS.model_dump(mode="json")},
        subjects=described,
        skipped=[],
        plan=plan([(scenarios.load("latency"), PARAMETERS)], [subject], described, seed),
        environment=environment.model_dump(mode="json"),
        tokens=[],
    )
    folder = RunFolder.create(place, run)
    Runner(folder=folder, run=run, servers={}, workspace=workspace, progress=Quiet()).execute([])
    return Recorded(place.name, run, folder.trials())


def _compared(base: Recorded, new: Recorded) -> Comparison:
    return compare(base, new, threshold=THRESHOLD)


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:] if word.isdigit()]
    table = "\n".join(measure(asked[0] if asked else PAIRS).rows())
    if "--write" in sys.argv:
        publish("real", table)
    sys.stdout.write(f"{table}\n")
