"""What each fault took from each subject, and who proves that it could have been seen."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from backends.store import Durability
from bench.analysis.estimate import bounded_quantile, share_interval, zero_bound
from bench.analysis.evidence import Judged
from bench.record import Record, Run, SubjectFacts
from scenarios.durability import DurabilityFindings
from scenarios.phases.disturb import ComeBack, FaultName

Harm = Literal["lost_writes", "lost_sessions", "resurrected_rotated", "resurrected_revoked"]
HARMS: Sequence[Harm] = get_args(Harm)
BACK: Sequence[Harm] = ("resurrected_rotated", "resurrected_revoked")
"""Harms done by what comes back to life."""
FAULTS: Sequence[str] = get_args(FaultName)
"""In the order that reports keep."""


class Spread(Record):
    """A duration over trials."""

    median_ns: float
    maximum_ns: int


class Loss(Record):
    """How much of one harm a fault did, over all its trials."""

    total: int
    trials_with: int
    bound: float | None
    """Where no trial showed it: the 95% upper bound of the share of faults that do."""
    share: tuple[float, float] | None
    """Where a trial did: the exact 95% interval of that share (Clopper-Pearson)."""


class FaultFigures(Record):
    """One fault on one subject, over all its trials. One fault is one trial."""

    label: str
    durability: Durability
    fault: str
    trials: list[str]
    acknowledged_issues: int
    acknowledged_rotations: int
    acknowledged_revocations: int
    losses: dict[Harm, Loss]
    loss_window_ns: int
    """The longest, from the first lost acknowledgement to the fault."""
    window_quantile: float
    """The quantile of all such windows that the longest of these trials bounds at 95%."""
    loss_is_suffix: bool
    recovered_unknown: int
    phantoms: int
    torn: int
    unanswered: int
    refused: int
    came_back: dict[ComeBack, int]
    """How it came to take writes again -> in how many trials."""
    recovery: Spread | None
    integrity: list[str]
    """What the store's own checks found wrong; empty where they found nothing."""
    left: int
    """Trials that left a session, so that a token could come back to life: of those alone are the
    bounds of what was resurrected."""

    @property
    def acknowledged(self) -> int:
        """Acknowledged writes of any kind."""
        return (
            self.acknowledged_issues + self.acknowledged_rotations + self.acknowledged_revocations
        )

    @property
    def nothing_left(self) -> bool:
        """Whether each trial lost every acknowledged session: none could come back to life."""
        return self.left == 0

    @property
    def held_by_client(self) -> bool:
        """Whether there is no store that could lose anything."""
        return self.durability == Durability.CLIENT


class Undecided(Record):
    """A trial of which it can't be told what was lost: in no figure, and never a pass."""

    trial: str
    label: str
    fault: str
    why: str


class PositiveControl(NamedTuple):
    """Who suffered a harm under a fault, which shows that this run could see it."""

    fault: str
    harm: Harm
    labels: Sequence[str]


def fault_figures(run: Run, found: Sequence[Judged[DurabilityFindings]]) -> Sequence[FaultFigures]:
    """Add up the trials of each fault and subject, in the order of the run's subjects.

    Those that are undecided are left to `undecided`.
    """
    groups: dict[tuple[str, str], list[Judged[DurabilityFindings]]] = defaultdict(list)
    for one in found:
        if one.findings.undecided is None:
            groups[one.findings.fault, one.trial.label].append(one)
    faults = sorted({fault for fault, _ in groups}, key=_severity)
    return [
        _add(subject, fault, groups[fault, subject.label])
        for fault in faults
        for subject in run.subjects
        if (fault, subject.label) in groups
    ]


def undecided(found: Sequence[Judged[DurabilityFindings]]) -> Sequence[Undecided]:
    """List the trials whose checker could not tell."""
    return [
        Undecided(
            trial=one.trial.id,
            label=one.trial.label,
            fault=one.findings.fault,
            why=one.findings.undecided,
        )
        for one in found
        if one.findings.undecided is not None
    ]


def positive_controls(figures: Sequence[FaultFigures]) -> Sequence[PositiveControl]:
    """Name, for every fault and harm, the subjects that showed it; nobody where none did."""
    return [
        PositiveControl(
            fault,
            harm,
            [f.label for f in figures if f.fault == fault and f.losses[harm].total],
        )
        for fault in dict.fromkeys(f.fault for f in figures)
        for harm in HARMS
    ]


def _severity(fault: str) -> tuple[int, str]:
    return (FAULTS.index(fault) if fault in FAULTS else len(FAULTS), fault)


def _add(
    subject: SubjectFacts, fault: str, every: Sequence[Judged[DurabilityFindings]]
) -> FaultFigures:
    found = [one.findings for one in every]
    recoveries = sorted(one.recovery_ns for one in found if one.recovery_ns is not None)
    half = len(recoveries) // 2
    left = [one for one in found if _left_something(one)]
    return FaultFigures(
        label=subject.label,
        durability=subject.durability,
        fault=fault,
        trials=[one.trial.id for one in every],
        acknowledged_issues=sum(one.acknowledged_issues for one in found),
        acknowledged_rotations=sum(one.acknowledged_rotations for one in found),
        acknowledged_revocations=sum(one.acknowledged_revocations for one in found),
        losses={
            harm: _loss([getattr(one, harm) for one in (left if harm in BACK else found)])
            for harm in HARMS
        },
        loss_window_ns=max(one.loss_window_ns for one in found),
        window_quantile=bounded_quantile(len(found)),
        loss_is_suffix=all(one.loss_is_suffix for one in found),
        recovered_unknown=sum(one.recovered_unknown for one in found),
        phantoms=sum(one.phantoms for one in found),
        torn=sum(one.torn for one in found),
        unanswered=sum(one.unanswered for one in found),
        refused=sum(one.refused for one in found),
        came_back=dict(Counter(one.came_back for one in found)),
        recovery=(
            Spread(median_ns=(recoveries[half] + recoveries[~half]) / 2, maximum_ns=recoveries[-1])
            if recoveries
            else None
        ),
        integrity=list(dict.fromkeys(one.integrity for one in found if one.integrity)),
        left=len(left),
    )


def _left_something(found: DurabilityFindings) -> bool:
    """Whether a session was left; one that was opened before the load may have come back."""
    back = found.resurrected_rotated + found.resurrected_revoked
    return back > 0 or not 0 < found.acknowledged_issues <= found.lost_sessions


def _loss(each: Sequence[int]) -> Loss:
    hit = sum(value > 0 for value in each)
    return Loss(
        total=sum(each),
        trials_with=hit,
        bound=None if hit else zero_bound(len(each)),
        share=share_interval(hit, len(each)) if hit else None,
    )
