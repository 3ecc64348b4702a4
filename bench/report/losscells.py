"""Table cells of faults: what was lost or came back, and what a zero there is worth."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.analysis import Summary
from bench.analysis.durability import BACK, FaultFigures, Harm
from bench.report import formats
from bench.report.blocks import Cell
from bench.report.cells import HELD

SUFFERED: Mapping[Harm, str] = {
    "lost_writes": "lost acknowledged writes",
    "lost_sessions": "lost sessions",
    "resurrected_rotated": "brought rotated tokens back",
    "resurrected_revoked": "brought revoked sessions back",
}
NOTHING_LEFT = "Every acknowledged session was lost, so no token of one could come back."
"""Why no zero is printed there: it would prove nothing."""
NOT_ASKED = "The store did not start again, so it could not be asked what came back."


def no_fault_cell(summary: Summary, label: str, fault: str) -> Cell:
    """Write why there are no figures of a fault."""
    return Cell(summary.absence(label, fault), tone="none")


def lost_cell(summary: Summary, label: str, fault: str, harm: Harm) -> Cell:
    """Write how much of one harm a fault did."""
    figures = summary.fault(label, fault)
    if figures is None:
        return no_fault_cell(summary, label, fault)
    if figures.held_by_client:
        return HELD
    if vacuous(figures, harm):
        return nothing_left([figures], formats.trials(figures.trials))
    loss = figures.losses[harm]
    of = {
        "lost_writes": figures.acknowledged,
        "lost_sessions": figures.acknowledged_issues,
        "resurrected_rotated": figures.acknowledged_rotations,
        "resurrected_revoked": figures.acknowledged_revocations,
    }[harm]
    trials = formats.trials(figures.trials)
    told = figures.left if harm in BACK else len(figures.trials)
    if loss.bound is None:
        share = f"{formats.percent(loss.total / of)}, " if of else ""
        faults = f"in {loss.trials_with} of {told}"
        text = f"{loss.total:,} of {of:,}"
        return Cell(text, loss.total, detail=share + faults, tone="bad", source=trials)
    return Cell(
        f"0 of {of:,}",
        number=0,
        detail=_zero(told, loss.bound, figures.fault),
        marks=() if summary.controlled(figures.fault, harm) else ("uncontrolled",),
        notes=proofs(summary, figures.fault, [harm]),
        source=trials,
    )


def _zero(faults: int, bound: float, fault: str) -> str:
    """Say what zero of so many faults is worth."""
    one, _, several = formats.FAULTS.get(fault, (fault, fault, f"{fault}s"))
    return f"0 of {formats.count(faults, one, several)}: ≤ {formats.bound(bound)}"


def vacuous(figures: FaultFigures, harm: Harm) -> bool:
    """Whether the harm could not happen, since nothing was left that could come back."""
    return figures.nothing_left and harm in BACK


def says_zero(summary: Summary, fault: str, harm: Harm) -> bool:
    """Whether any subject's zero of a harm stands for something, and so needs a control."""
    return any(
        not (one.held_by_client or one.losses[harm].total or vacuous(one, harm))
        for one in summary.faults
        if one.fault == fault
    )


def why_vacuous(figures: FaultFigures) -> str:
    """Say why there is no zero of what came back."""
    return NOT_ASKED if figures.came_back.keys() == {"never"} else NOTHING_LEFT


def nothing_left(every: Sequence[FaultFigures], trials: str) -> Cell:
    """Write that nothing could come back, in place of a zero."""
    why = tuple(dict.fromkeys(map(why_vacuous, every)))
    return Cell("n/a", detail="nothing left", tone="none", notes=why, source=trials)


def proofs(summary: Summary, fault: str, harms: Sequence[Harm]) -> Sequence[str]:
    """Name who shows that this run could have seen the harms: a note for those who show alike."""
    one, _, _ = formats.FAULTS.get(fault, (fault, fault, fault))
    seen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for harm in harms:
        guilty = (
            label
            for control in summary.positive_controls
            if (control.fault, control.harm) == (fault, harm)
            for label in control.labels
        )
        seen[tuple(guilty)].append(SUFFERED[harm])
    return [
        f"Positive control for this zero on {one}: {formats.listed(list(guilty))}"
        f" {formats.listed(words)} under the same fault."
        if guilty
        else f"uncontrolled: no subject of this run {formats.listed(words, 'or')} on {one}, so"
        " nothing shows that this zero could have been anything else."
        for guilty, words in seen.items()
    ]
