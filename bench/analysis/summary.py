"""A run in figures: everything that tables, plots and `--json` are made from."""

from collections.abc import Sequence
from datetime import datetime

import scenarios
from backends.store import Durability
from bench.analysis.balancer import BalancerFigures, balancer_figures
from bench.analysis.consistency import RaceFigures, SeenAtOnce, race_figures, seen_at_once
from bench.analysis.contradictions import Contradiction, contradictions
from bench.analysis.durability import (
    FaultFigures,
    Harm,
    PositiveControl,
    Undecided,
    fault_figures,
    positive_controls,
    undecided,
)
from bench.analysis.evidence import check, judged
from bench.analysis.failover import FailoverFigures, failover_figures
from bench.analysis.latency import (
    Key,
    LatencyCell,
    NothingDone,
    latency_cells,
    reference_connections,
    with_sampling,
)
from bench.analysis.load import Capacity, LoadStep
from bench.analysis.load_figures import load_figures
from bench.analysis.ranking import Noise, noise, ranked
from bench.analysis.sampling import left
from bench.analysis.scale import Beyond, ScaleFigures, beyond, scale_figures
from bench.analysis.soak import SoakSeries, soak_series
from bench.analysis.staleness import StalenessFigures, staleness_figures
from bench.analysis.tokens import RefreshShare, TokenFigures, refresh_shares, token_figures
from bench.analysis.workers import WorkerFigures, worker_figures
from bench.record import Record, Run, ServerFacts, Skipped, SubjectFacts, Trial
from scenarios.balancer import BalancerFindings
from scenarios.consistency import ConsistencyFindings
from scenarios.durability import DurabilityFindings
from scenarios.failover import FailoverFindings
from scenarios.latency import LatencyFindings
from scenarios.offered_load import LoadFindings
from scenarios.scale import ScaleFindings
from scenarios.soak import SoakFindings
from scenarios.staleness import StalenessFindings

CLASSES = (
    Durability.POWER_CUT,
    Durability.CRASH,
    Durability.RESTART,
    Durability.NONE,
    Durability.CLIENT,
)
"""From the class that keeps most to the one that keeps nothing; the client's is apart."""


class FailedTrial(Record):
    """A trial that did not come out."""

    id: str
    label: str
    error: str


class ServerOf(Record):
    """The server and settings a subject was measured on."""

    label: str
    server: ServerFacts | None
    settings: dict[str, str]


class Summary(Record):
    """Every figure of a run. JSON-able; each names the trials it comes from."""

    started_at: datetime
    effort: str
    seed: int
    planned: int
    """Trials taken, and those still to be taken."""
    spared: int
    """Trials that the plan had room for, and that weren't needed."""
    finished: int
    failed: list[FailedTrial]
    skipped: list[Skipped]
    unknown_scenarios: list[str]
    """Scenarios of the record that this version doesn't know; their trials are left out."""
    subjects: list[SubjectFacts]
    servers: list[ServerOf]
    workers: WorkerFigures | None
    reference_connections: int | None
    """The concurrency that the comparison is made at."""
    cells: list[LatencyCell]
    nothing_done: list[NothingDone]
    noise: list[Noise]
    load_noise: list[Noise]
    faults: list[FaultFigures]
    undecided: list[Undecided]
    """Of `durability`: trials of which it can't be told what was lost."""
    positive_controls: list[PositiveControl]
    sightings: list[SeenAtOnce]
    races: list[RaceFigures]
    """Of instances that rotate one token, in good health."""
    other_races: list[RaceFigures]
    """Of logouts and rotations, of logins and the end of them all, and amid mishaps."""
    balancers: list[BalancerFigures]
    failovers: list[FailoverFigures]
    staleness: list[StalenessFigures]
    load: list[LoadStep]
    capacities: list[Capacity]
    scale: list[ScaleFigures]
    beyond: list[Beyond]
    """Sizes that stores are not meant for, and why."""
    soak: list[SoakSeries]
    tokens: list[TokenFigures]
    refreshes: list[RefreshShare]
    contradictions: list[Contradiction]

    def cell(self, label: str, operation: str, connections: int | None) -> LatencyCell | None:
        """Find the cell in which a subject did nothing but `operation`."""
        key = Key(operation, operation, connections or 0)
        return next((c for c in self.cells if (c.label, c.key) == (label, key)), None)

    def fault(self, label: str, fault: str) -> FaultFigures | None:
        """Find what a fault did to a subject."""
        return next((f for f in self.faults if (f.label, f.fault) == (label, fault)), None)

    def absence(self, label: str, fault: str) -> str:
        """Say why there are no figures of a fault."""
        unknown = any((one.label, one.fault) == (label, fault) for one in self.undecided)
        return "undecided" if unknown else "not measured"

    def capacity(self, label: str) -> Capacity | None:
        """Find the highest rate that a subject carried."""
        return next((one for one in self.capacities if one.label == label), None)

    def controlled(self, fault: str, harm: Harm) -> bool:
        """Whether someone suffered a harm under a fault, so that zero means something."""
        mine = [c for c in self.positive_controls if (c.fault, c.harm) == (fault, harm)]
        return any(control.labels for control in mine)

    def by_class(self) -> Sequence[tuple[Durability, Sequence[SubjectFacts]]]:
        """Give the subjects in their classes; control halves, naive ways and companions left out.

        A subject of which no trial came out is among them, to be shown as not measured; but where
        nothing at all was measured there are no classes to speak of. Of topologies only those are
        among them that were put through the same as single servers.
        """
        measured = {
            *(cell.label for cell in self.cells),
            *(figures.label for figures in self.faults),
            *(one.label for one in self.sightings),
            *(races.label for races in [*self.races, *self.other_races]),
            *(figures.label for figures in self.scale),
            *(series.label for series in self.soak),
            *(one.label for one in self.capacities),
        }
        if not measured:
            return []
        groups = [
            (
                durability,
                [
                    subject
                    for subject in self.subjects
                    if subject.durability == durability
                    and not (subject.control or subject.naive or subject.companion)
                    and (subject.topology is None or subject.label in measured)
                ],
            )
            for durability in CLASSES
        ]
        return [(durability, subjects) for durability, subjects in groups if subjects]

    def fault_controls(self) -> Sequence[SubjectFacts]:
        """Give those that were put to a fault as the positive control of the others alone."""
        struck = {figures.label for figures in self.faults}
        return [one for one in self.subjects if one.companion and one.label in struck]


def summary(run: Run, trials: Sequence[Trial]) -> Summary:
    """Turn a run's records into figures. Reads nothing else, so an old run can be read anywhere.

    Raises Failed: a line of the records is damaged.
    """
    check(run, trials)
    latency = judged(trials, "latency", LatencyFindings)
    durability = judged(trials, "durability", DurabilityFindings)
    consistency = judged(trials, "consistency", ConsistencyFindings)
    to_come = len(left(run, trials))
    measured, nothing_done = latency_cells(run, latency)
    unranked = with_sampling(run, trials, measured)
    noises = noise(run, unranked)
    cells = ranked(run, unranked, noises)
    faults = fault_figures(run, durability)
    sightings = seen_at_once(run, consistency)
    every_race = race_figures(run, consistency)
    races = [one for one in every_race if one.plain]
    failovers = failover_figures(run, judged(trials, "failover", FailoverFindings))
    load, unranked_capacities = load_figures(run, judged(trials, "load", LoadFindings))
    load_noise = noise(run, [*unranked_capacities, *(s for s in load if s.asked == "rate")])
    capacities = ranked(run, unranked_capacities, load_noise)
    tokens = token_figures(run.tokens)
    return Summary(
        started_at=run.started_at,
        effort=run.effort,
        seed=run.seed,
        planned=len(trials) + to_come,
        spared=len(run.plan) - len(trials) - to_come,
        finished=sum(trial.status == "ok" for trial in trials),
        failed=[
            FailedTrial(id=t.id, label=t.label, error=t.error or "it did not say why")
            for t in trials
            if t.status == "failed"
        ],
        skipped=run.skipped,
        unknown_scenarios=sorted({t.scenario for t in trials} - set(scenarios.names())),
        subjects=run.subjects,
        servers=_servers(run, trials),
        workers=worker_figures(trials),
        reference_connections=reference_connections(cells),
        cells=list(cells),
        nothing_done=list(nothing_done),
        noise=list(noises),
        load_noise=list(load_noise),
        faults=list(faults),
        undecided=list(undecided(durability)),
        positive_controls=list(positive_controls(faults)),
        sightings=list(sightings),
        races=races,
        other_races=[one for one in every_race if not one.plain],
        balancers=list(balancer_figures(run, judged(trials, "balancer", BalancerFindings))),
        failovers=list(failovers),
        staleness=list(staleness_figures(run, judged(trials, "staleness", StalenessFindings))),
        load=list(load),
        capacities=list(capacities),
        scale=list(scale_figures(run, judged(trials, "scale", ScaleFindings))),
        beyond=list(beyond(run)),
        soak=list(soak_series(run, judged(trials, "soak", SoakFindings))),
        tokens=list(tokens),
        refreshes=list(refresh_shares(run, cells, tokens)),
        contradictions=list(contradictions(run, faults, sightings, every_race, failovers)),
    )


def _servers(run: Run, trials: Sequence[Trial]) -> list[ServerOf]:
    """Take the first finished trial of each subject: every trial's server is set up alike."""
    first = {trial.label: trial for trial in reversed(trials) if trial.status == "ok"}
    return [
        ServerOf(
            label=subject.label,
            server=first[subject.label].server,
            settings=first[subject.label].settings,
        )
        for subject in run.subjects
        if subject.label in first
    ]
