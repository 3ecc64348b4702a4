"""What instances saw of each other, and how many won each race, over all trials."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from backends.store import Durability
from bench.analysis.estimate import zero_bound
from bench.analysis.evidence import Judged
from bench.record import Record, Run
from scenarios.consistency import ConsistencyFindings, Races, Visibility


class SeenAtOnce(Record):
    """Looks right after an acknowledgement, over all trials."""

    label: str
    durability: Durability
    act: str
    instances: int
    looks: int
    seen: int
    largest_delay_ns: int
    trials: list[str]


class RaceFigures(Record):
    """Races for one token among a number of instances, over all trials."""

    label: str
    durability: Durability
    instances: int
    rounds: int
    contested: int
    winners: dict[int, int]
    """Number of winners -> contested rounds, ascending."""
    outcomes: dict[str, int]
    trials: list[str]

    @property
    def double_spends(self) -> int:
        """Contested rounds with several winners."""
        return sum(rounds for winners, rounds in self.winners.items() if winners > 1)

    @property
    def most_winners(self) -> int | None:
        """The most winners of one race; None where nothing was contested."""
        return max(self.winners, default=None)

    @property
    def bound(self) -> float | None:
        """Where no race had several winners: the 95% upper bound of the share that do."""
        return zero_bound(self.contested) if self.contested and not self.double_spends else None


def seen_at_once(run: Run, found: Sequence[Judged[ConsistencyFindings]]) -> Sequence[SeenAtOnce]:
    """Add up the looks of each subject, number of instances and act."""
    groups: dict[tuple[str, int, str], list[tuple[str, Visibility]]] = defaultdict(list)
    for one in found:
        for look in one.findings.visibility:
            groups[one.trial.label, look.instances, look.act].append((one.trial.id, look))
    return [
        SeenAtOnce(
            label=subject.label,
            durability=subject.durability,
            act=act,
            instances=instances,
            looks=sum(look.looks for _, look in every),
            seen=sum(look.seen for _, look in every),
            largest_delay_ns=max(look.largest_delay_ns for _, look in every),
            trials=[trial for trial, _ in every],
        )
        for subject in run.subjects
        for (label, instances, act), every in sorted(groups.items())
        if label == subject.label
    ]


def race_figures(run: Run, found: Sequence[Judged[ConsistencyFindings]]) -> Sequence[RaceFigures]:
    """Add up the races of each subject and number of instances."""
    groups: dict[tuple[str, int], list[tuple[str, Races]]] = defaultdict(list)
    for one in found:
        for races in one.findings.races:
            groups[one.trial.label, races.instances].append((one.trial.id, races))
    figures = []
    for subject in run.subjects:
        for (label, instances), every in sorted(groups.items()):
            if label != subject.label:
                continue
            winners: Counter[int] = Counter()
            outcomes: Counter[str] = Counter()
            for _, races in every:
                winners.update(races.winners)
                outcomes.update(races.outcomes)
            figures.append(
                RaceFigures(
                    label=label,
                    durability=subject.durability,
                    instances=instances,
                    rounds=sum(races.rounds for _, races in every),
                    contested=sum(races.contested for _, races in every),
                    winners=dict(sorted(winners.items())),
                    outcomes=dict(sorted(outcomes.items())),
                    trials=[trial for trial, _ in every],
                )
            )
    return figures
