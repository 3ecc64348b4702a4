"""What docs/method.md says of the committed reference run: made from its record alone.

How many of its races were contested, how fast they followed each other, and how much its trials
stray. tests/test_method.py holds the page to it.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backends.store import Durability
from bench import analysis
from bench.analysis.consistency import RaceFigures
from bench.analysis.evidence import judged
from bench.analysis.latency import METRICS
from bench.analysis.summary import Summary
from bench.record import Run, Trial
from bench.run_folder import RunFolder
from scenarios.consistency import SCENARIO, ConsistencyFindings, ConsistencyParameters, Races
from scenarios.history import Event
from scenarios.latency import LatencyParameters
from scenarios.scenario import Effort

REFERENCE = Path(__file__).parents[1] / "results" / "reference"


class Reference(NamedTuple):
    """The record of the reference run, and its figures."""

    folder: RunFolder
    run: Run
    trials: Sequence[Trial]
    summary: Summary


def reference() -> Reference:
    """Read the reference run."""
    folder = RunFolder(REFERENCE)
    run, trials = folder.run(), folder.trials()
    return Reference(folder, run, trials, analysis.summary(run, trials))


def contested(seen: Reference) -> str:
    """Say how many races for one token counted, and what the naive ways lost of theirs."""
    shared = {one.label for one in seen.run.subjects if "shared_by_processes" not in one.lacking}
    met: dict[str, Part] = {}
    lost: dict[str, Part] = {}
    for races in seen.summary.races:
        if races.naive:
            lost[races.label] = lost.get(races.label, NONE).more(races.harmed, races.rounds)
        elif keeps_sessions(races) and races.label in shared:
            met[races.label] = met.get(races.label, NONE).more(races.contested, races.rounds)
    every = Part(*map(sum, zip(*met.values(), strict=True)))
    fewest = min(met.values(), key=Part.share)
    asked = _thorough()
    planned = asked.trials * asked.races * len(asked.instances)
    return (
        f"In the reference run, which began at a load average of"
        f" {seen.run.environment['load_average'][0]:.1f}, {every} races for one token were"
        " contested, over all stores that processes share; the fewest of one store were"
        f" {_named(met, fewest)}. At that share, {planned * fewest.share():,.0f} of {planned:,}"
        f" are to be expected of it. {_losses(lost)}"
    )


def _losses(lost: Mapping[str, "Part"]) -> str:
    least, most = (edge(lost.values(), key=Part.share) for edge in (min, max))
    if least.share() == most.share():
        return f"Each naive way lost {least}."
    return (
        f"The naive way that lost the fewest of its races lost {_named(lost, least)}, the one that"
        f" lost the most {_named(lost, most)}."
    )


class Part(NamedTuple):
    """So many races of so many."""

    some: int
    of_all: int

    def more(self, some: int, of_all: int) -> "Part":
        """Add others."""
        return Part(self.some + some, self.of_all + of_all)

    def share(self) -> float:
        """Give it as a share."""
        return self.some / self.of_all

    def __str__(self) -> str:
        return f"{self.some:,} of {self.of_all:,}"


NONE = Part(0, 0)


def paces(seen: Reference) -> str:
    """Write how many races a second began, and how long those of thorough effort would take."""
    asked = _thorough()
    found: dict[str, dict[int, float]] = {}
    for one in judged(seen.trials, "consistency", ConsistencyFindings):
        history = _history(seen.folder.history(one.trial.id))
        found[one.trial.label] = pace(one.findings.races, history)
    kept = {races.label: races.naive for races in seen.summary.races if keeps_sessions(races)}
    shown = [label for label, naive in kept.items() if not naive]
    instances = sorted({count for mine in found.values() for count in mine})
    minutes = {label: _seconds(asked, found[label]) / 60 for label in kept}
    rows = [
        [f"`{label}`", *(f"{found[label][n]:,.0f}" for n in instances), f"{minutes[label]:,.0f}"]
        for label in shown
    ]
    heads = ["store", *map(str, instances), "thorough: races and endings, minutes"]
    lines = [heads, ["---"] * len(heads), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    ours = sum(minutes[label] for label in shown)
    return (
        f"{table}\n\nAll of these take {ours / 60:.1f} hours, and with their naive ways"
        f" {sum(minutes.values()) / 60:.1f}."
    )


def keeps_sessions(races: RaceFigures) -> bool:
    """Whether there is a state that can be raced for: a cookie's calls meet nowhere."""
    return races.durability != Durability.CLIENT


def pace(every: Sequence[Races], history: Sequence[Event]) -> dict[int, float]:
    """Give races for one token a second, by instances, of one trial.

    A history has one phase after another, so families in the order that they come in are those of
    each phase in turn. Starts are evenly spaced; a race begins where its first call does.
    """
    calls: dict[str, list[int]] = defaultdict(list)
    for event in history:
        mine = calls[event.family]
        if event.kind == "rotate":
            mine.append(event.invoke_ns)
    families = iter(calls.values())
    found = {}
    for races in every:
        starts = [next(families) for _ in range(races.rounds)]
        if (races.contest, races.mishap) == ("rotate", "none"):
            begun = sorted(min(invoked) for invoked in starts)
            found[races.instances] = (len(begun) - 1) * 1e9 / (begun[-1] - begun[0])
    return found


def noise(seen: Reference) -> str:
    """Say how much trials of one cell stray, as the middle of a store's cells."""
    asked = LatencyParameters.model_validate(seen.run.parameters["latency"])
    said = {}
    for metric in METRICS:
        strays: dict[str, list[float]] = defaultdict(list)
        for cell in seen.summary.cells:
            over = cell.metric(metric)
            if cell.whole and "n/a" not in cell.why and over and over.trials > 1:
                strays[cell.label].append(float(np.std(np.log(over.each), ddof=1)))
        middle = {label: float(np.median(mine)) for label, mine in strays.items()}
        least, most = (edge(middle, key=middle.__getitem__) for edge in (min, max))
        said[metric] = f"{middle[least]:.0%} (`{least}`) to {middle[most]:.0%} (`{most}`)"
    return (
        f"In the reference run, {asked.trials} trials with cells of {asked.seconds:g} s, the"
        " standard deviation of a trial's throughput, as the median over a store's cells, is"
        f" {said['throughput']}; that of its p50 is {said['p50']}, and that of its p99"
        f" {said['p99']}."
    )


TEXTS: Mapping[str, Callable[[Reference], str]] = {
    "contested": contested,
    "paces": paces,
    "noise": noise,
}
"""By the name that the text's place in docs/method.md has."""


def _thorough() -> ConsistencyParameters:
    asked = SCENARIO.presets[Effort.THOROUGH]
    assert isinstance(asked, ConsistencyParameters)
    return asked


def _seconds(asked: ConsistencyParameters, measured: Mapping[int, float]) -> float:
    """Give how long races and endings take: a rate halves as the instances double."""
    rounds = asked.trials * (asked.races + 2 * asked.endings)
    total = 0.0
    for count in asked.instances:
        nearest = max(n for n in measured if n <= count)
        total += rounds * count / nearest / measured[nearest]
    return total


def _named(parts: Mapping[str, Part], which: Part) -> str:
    names = ", ".join(
        f"`{label}`" for label, part in parts.items() if part.share() == which.share()
    )
    return f"{which} ({names})"


def _history(path: Path) -> Sequence[Event]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [Event(**json.loads(line)) for line in file]
