"""Table cells that merge what a subject did over faults, races and looks: the comparison's."""

from collections import defaultdict
from collections.abc import Sequence

from bench.analysis import Summary
from bench.analysis.durability import BACK, FAULTS, FaultFigures
from bench.analysis.estimate import zero_bound
from bench.record import SubjectFacts
from bench.report import cells, formats
from bench.report.blocks import Cell
from bench.report.losscells import nothing_left, proofs


def resurrected_cell(summary: Summary, subject: SubjectFacts) -> Cell:
    """Write what came back from the dead, under any of the faults."""
    faults = _met(summary, subject)
    if not faults:
        return cells.NOT_MEASURED
    if faults[0].held_by_client:
        return cells.HELD
    rotated, revoked = (sum(fault.losses[harm].total for fault in faults) for harm in BACK)
    if rotated or revoked:
        return Cell(
            f"{rotated + revoked:,}",
            rotated + revoked,
            detail=f"{rotated:,} rotated, {revoked:,} revoked",
            tone="bad",
            source=_source(faults),
        )
    # Of a store that lost everything there was nothing that could come back.
    telling = [fault for fault in faults if not fault.nothing_left]
    if not telling:
        return nothing_left(faults, _source(faults))
    fewest = min(fault.left for fault in telling)
    counted = formats.listed([_counted(fault, fault.left) for fault in telling])
    controlled = all(summary.controlled(one.fault, harm) for one in telling for harm in BACK)
    return Cell(
        "0",
        number=0,
        detail=f"in {counted}: ≤ {formats.bound(zero_bound(fewest))}",
        marks=() if controlled else ("uncontrolled",),
        notes=[note for one in telling for note in proofs(summary, one.fault, BACK)],
        source=_source(telling),
    )


def seen_cell(summary: Summary, subject: SubjectFacts) -> Cell:
    """Write which share of looks saw what another instance had just done."""
    looks = [one for one in summary.sightings if one.label == subject.label]
    if not looks:
        return cells.NOT_MEASURED
    seen, every = sum(one.seen for one in looks), sum(one.looks for one in looks)
    trials = dict.fromkeys(trial for one in looks for trial in one.trials)
    return Cell(
        formats.percent(seen / every),
        number=seen / every,
        detail=f"{seen:,} of {every:,}",
        tone="bad" if seen < every else "",
        notes=cells.by_processes(subject),
        source=formats.trials(list(trials)),
    )


def winners_cell(summary: Summary, subject: SubjectFacts) -> Cell:
    """Take the number of instances that showed the most winners; the largest, if they are even."""
    races = [one for one in summary.races if one.label == subject.label]
    most = max(races, key=lambda one: (one.most_winners or 0, one.instances), default=None)
    return cells.winners_cell(most, subject)


def cannot_cell(subject: SubjectFacts) -> Cell:
    """Write what a store declares that it can't do, with its reasons."""
    if not subject.lacking:
        return Cell("nothing declared", tone="none")
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in subject.lacking.items():
        by_reason[reason].append(formats.CANNOT.get(name, name))
    return Cell(
        ", ".join(formats.CANNOT.get(name, name) for name in subject.lacking),
        notes=[
            f"Cannot {formats.listed(them, 'or')}: {reason}." for reason, them in by_reason.items()
        ],
    )


def sizes_cell(summary: Summary, subject: SubjectFacts) -> Cell:
    """Write what a subject's row is made of."""
    parts = []
    if rotate := summary.cell(subject.label, "rotate", summary.reference_connections):
        parts.append(formats.count(len(rotate.trials), "trial"))
        parts.append(formats.count(rotate.operations, "rotation"))
    parts += [_counted(fault, len(fault.trials)) for fault in _met(summary, subject)]
    if contested := sum(one.contested for one in summary.races if one.label == subject.label):
        parts.append(formats.count(contested, "race"))
    if capacity := summary.capacity(subject.label):
        parts.append(f"{formats.count(len(capacity.trials), 'trial')} of load")
    return Cell(", ".join(parts) or "nothing measured", tone="" if parts else "none")


def _met(summary: Summary, subject: SubjectFacts) -> Sequence[FaultFigures]:
    return [found for fault in FAULTS if (found := summary.fault(subject.label, fault))]


def _source(faults: Sequence[FaultFigures]) -> str:
    return formats.trials([trial for fault in faults for trial in fault.trials])


def _counted(figures: FaultFigures, trials: int) -> str:
    one, _, several = formats.FAULTS.get(figures.fault, (figures.fault, "", f"{figures.fault}s"))
    return formats.count(trials, one, several)
