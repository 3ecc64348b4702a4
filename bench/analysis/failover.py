"""What a failover cost each topology, and who proves that a loss could have been seen."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median

from bench.analysis.evidence import Judged
from bench.record import Record, Run
from scenarios.failover import FailoverFindings


class Waited(Record):
    """For how long a side wasn't served."""

    ns: float
    over: bool
    """If not, it was longer than that: the fault was healed before it ended."""


class FailoverFigures(Record):
    """One fault on one topology, over all its trials. One fault is one trial."""

    label: str
    strike: str
    means: list[str]
    """What was really done, each once."""
    why_no_cut: str | None
    seconds: float
    """As asked for."""
    trials: list[str]
    took_over: int
    """Trials in which another primary was there before the heal."""
    decided: int
    """Trials of which it can be told what was lost; the others are in no count of it."""
    acknowledged: int
    lost_writes: int
    trials_with_loss: int
    lost_sessions: int
    resurrected_rotated: int
    resurrected_revoked: int
    shown_on_both_sides: int
    double_spends: int
    anomalies: dict[str, int]
    """Checker -> families in which what clients were answered contradicts itself."""
    undecided: dict[str, str]
    """Checker -> why it could not tell, in some trial."""
    orders: dict[str, int]
    """How the search for an order of operations ended -> families."""
    disagreements: int
    """Families on which that search and the checkers say otherwise."""
    outage: Waited | None
    """Of the majority's side, median over trials; None in records of before it was measured."""
    longest_outage: Waited | None
    lasted_ns: float
    """Median over trials."""
    settled_ns: float
    """Median over trials."""
    refused: int
    unanswered: int
    phantoms: int
    integrity: list[str]
    controlled_by: list[str]
    """Subjects of this run that lost something under the same fault."""

    @property
    def paused(self) -> bool:
        """Whether a pause stood for a partition in some trial, since hosts couldn't be cut off."""
        return "pause" in self.means

    @property
    def kept(self) -> bool:
        """Whether nothing was lost, and that is known of some trial."""
        return self.decided > 0 and not self.lost_writes

    @property
    def spent_twice(self) -> int | None:
        """Tokens that were found spent twice; None: none was, and it can't be told."""
        if "double spend" in self.undecided and not self.double_spends:
            return None
        return self.double_spends

    @property
    def fault(self) -> str:
        """Name it as a heading does."""
        return f"{self.strike}, {self.seconds:g} s"


def failover_figures(
    run: Run, found: Sequence[Judged[FailoverFindings]]
) -> Sequence[FailoverFigures]:
    """Add up the trials of each fault and topology, in the order of the run's subjects."""
    groups: dict[tuple[str, float, str], list[Judged[FailoverFindings]]] = defaultdict(list)
    for one in found:
        groups[one.findings.strike, one.findings.seconds, one.trial.label].append(one)
    lost: dict[tuple[str, float], list[str]] = defaultdict(list)
    for (strike, seconds, label), every in groups.items():
        if any(one.findings.lost_writes for one in every):
            lost[strike, seconds].append(label)
    faults = sorted({(strike, seconds) for strike, seconds, _ in groups}, key=_order)
    return [
        _add(subject.label, groups[strike, seconds, subject.label], lost[strike, seconds])
        for strike, seconds in faults
        for subject in run.subjects
        if (strike, seconds, subject.label) in groups
    ]


def several_lengths(every: Sequence[FailoverFigures]) -> bool:
    """Whether a strike comes in several lengths."""
    return len({one.fault for one in every}) > len({one.strike for one in every})


def _order(fault: tuple[str, float]) -> tuple[bool, float]:
    strike, seconds = fault
    return strike != "partition", seconds


def _add(
    label: str, every: Sequence[Judged[FailoverFindings]], controlled_by: Sequence[str]
) -> FailoverFigures:
    found = [one.findings for one in every]
    outages = _outages(found)
    return FailoverFigures(
        label=label,
        strike=found[0].strike,
        means=list(dict.fromkeys(one.means for one in found)),
        why_no_cut=found[0].why_no_cut,
        seconds=found[0].seconds,
        trials=[one.trial.id for one in every],
        took_over=sum(one.took_over for one in found),
        decided=sum("losses" not in one.undecided for one in found),
        acknowledged=sum(one.acknowledged for one in found),
        lost_writes=sum(one.lost_writes for one in found),
        trials_with_loss=sum(one.lost_writes > 0 for one in found),
        lost_sessions=sum(one.lost_sessions for one in found),
        resurrected_rotated=sum(one.resurrected_rotated for one in found),
        resurrected_revoked=sum(one.resurrected_revoked for one in found),
        shown_on_both_sides=sum(one.shown_on_both_sides for one in found),
        double_spends=sum(one.double_spends for one in found),
        anomalies=dict(sum((Counter(one.anomalies) for one in found), Counter())),
        undecided={name: why for one in found for name, why in one.undecided.items()},
        orders=dict(sum((Counter(one.orders) for one in found), Counter())),
        disagreements=sum(one.disagreements for one in found),
        outage=_median(outages) if outages else None,
        longest_outage=_longest(outages) if outages else None,
        lasted_ns=median(one.lasted_ns for one in found),
        settled_ns=median(one.settled_ns for one in found),
        refused=sum(one.refused for one in found),
        unanswered=sum(one.unanswered for one in found),
        phantoms=sum(one.phantoms for one in found),
        integrity=list(dict.fromkeys(one.integrity for one in found if one.integrity)),
        controlled_by=list(controlled_by),
    )


def _outages(found: Sequence[FailoverFindings]) -> Sequence[Waited]:
    """Give the outage of each trial, the shortest first; none where it wasn't measured in all."""
    known = [
        Waited(ns=one.outage_ns, over=one.outage_over)
        for one in found
        if one.outage_ns is not None and one.outage_over is not None
    ]
    return sorted(known, key=lambda one: one.ns) if len(known) == len(found) else []


def _median(outages: Sequence[Waited]) -> Waited:
    """Give the median; one not over could be longer than any, so the median is no shorter then."""
    lower_half = outages[: len(outages) // 2 + 1]
    return Waited(ns=median(one.ns for one in outages), over=all(one.over for one in lower_half))


def _longest(outages: Sequence[Waited]) -> Waited:
    return Waited(ns=outages[-1].ns, over=all(one.over for one in outages))
