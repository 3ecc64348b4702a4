"""What instances saw of each other, and how many won each race, over all trials."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from backends.store import Durability
from bench.analysis.estimate import zero_bound
from bench.analysis.evidence import Judged
from bench.record import Record, Run, SubjectFacts
from scenarios.consistency import ConsistencyFindings, Races, Visibility

OUTLIVED = ("alive after revoke", "real-time order")
"""Checkers that find a session which has outlived its end."""
NO_MISHAP = "what was to go wrong meanwhile never did, so these were healthy races"


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
    """Races of one kind among a number of instances, over all trials."""

    label: str
    durability: Durability
    naive: bool
    """Whether it is there to lose, as the positive control."""
    instances: int
    contest: str
    mishap: str
    mishaps: int
    unsuited: str
    """Why there was nothing to race here, or it doesn't count; empty where it does."""
    rounds: int
    contested: int
    winners: dict[int, int]
    """Number of winners -> contested rounds, ascending; where all rotated one token."""
    outcomes: dict[str, int]
    anomalies: dict[str, int]
    """Checker -> families in which it found something."""
    undecided: dict[str, str]
    """Checker -> why it could not tell."""
    orders: dict[str, int]
    """How the search for an order ended -> families."""
    disagreements: int
    trials: list[str]

    @property
    def plain(self) -> bool:
        """Whether instances rotated one token, in good health."""
        return (self.contest, self.mishap) == ("rotate", "none")

    @property
    def double_spends(self) -> int:
        """Races for one token that had several winners."""
        several = sum(rounds for winners, rounds in self.winners.items() if winners > 1)
        return max(several, self.anomalies.get("double spend", 0))

    @property
    def harmed(self) -> int:
        """Races after which a token was good that should not be: of several, or of the ended."""
        if self.contest == "rotate":
            return self.double_spends
        return sum(self.anomalies.get(name, 0) for name in OUTLIVED)

    @property
    def false_alarms(self) -> int:
        """Races in which somebody was refused, as a thief or otherwise, for no reason."""
        return self.anomalies.get("false alarm", 0)

    @property
    def most_winners(self) -> int | None:
        """The most winners of one race; None where nothing was contested."""
        return max(self.winners, default=None)

    @property
    def bound(self) -> float | None:
        """Where no race did harm: the 95% upper bound of the share that do."""
        return zero_bound(self.contested) if self.contested and not self.harmed else None


def controls(races: RaceFigures, among: Sequence[RaceFigures]) -> Sequence[str]:
    """Name who did harm in the same kind of race amid the same mishap: so it could be seen."""
    return list(
        dict.fromkeys(
            one.label
            for one in among
            if one.harmed and (one.contest, one.mishap) == (races.contest, races.mishap)
        )
    )


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
    """Add up the races of each subject, kind, mishap and number of instances."""
    groups: dict[tuple[str, str, str, int], list[tuple[str, Races]]] = defaultdict(list)
    for one in found:
        for races in one.findings.races:
            key = one.trial.label, races.contest, races.mishap, races.instances
            groups[key].append((one.trial.id, races))
    return [
        _added_up(subject, every)
        for subject in run.subjects
        for (label, *_), every in groups.items()
        if label == subject.label
    ]


def _added_up(subject: SubjectFacts, every: Sequence[tuple[str, Races]]) -> RaceFigures:
    _, first = every[0]
    winners: Counter[int] = Counter()
    outcomes: Counter[str] = Counter()
    anomalies: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    undecided: dict[str, str] = {}
    mishaps = sum(races.mishaps for _, races in every)
    for _, races in every:
        winners.update(races.winners)
        outcomes.update(races.outcomes)
        anomalies.update(races.anomalies)
        orders.update(races.orders)
        undecided.update(races.undecided)
    return RaceFigures(
        label=subject.label,
        durability=subject.durability,
        naive=subject.naive,
        instances=first.instances,
        contest=first.contest,
        mishap=first.mishap,
        mishaps=mishaps,
        unsuited=first.unsuited or ("" if mishaps or first.mishap == "none" else NO_MISHAP),
        rounds=sum(races.rounds for _, races in every),
        contested=sum(races.contested for _, races in every),
        winners=dict(sorted(winners.items())),
        outcomes=dict(sorted(outcomes.items())),
        anomalies=dict(sorted(anomalies.items())),
        undecided=undecided,
        orders=dict(sorted(orders.items())),
        disagreements=sum(races.disagreements for _, races in every),
        trials=[trial for trial, _ in every],
    )
