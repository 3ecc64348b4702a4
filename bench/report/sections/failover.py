"""What was acknowledged and is gone after a fault of the primary."""

from collections.abc import Sequence

from bench.analysis.estimate import zero_bound
from bench.analysis.failover import FailoverFigures, Waited
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table
from bench.report.cross_check import cross_checked

READING = (
    "Two app instances load the topology, on hosts of their own. In a partition one of them is cut"
    " off together with the primary, silently and in both directions; the other stays with the"
    " majority. In a kill nobody is cut off. Lost: acknowledged writes whose effect is gone once"
    " all members agree on one primary again. Spent twice: tokens that both sides were answered"
    " about while the fault lasted, and that were rotated successfully by both. Served again:"
    " from the fault until the majority's side has its writes acknowledged at half the rate of"
    " before, over half a second in which no call fails or takes longer than that; > where that"
    " was not so before the heal, with which the load ends."
    " Contradictions: sessions whose clients got answers that no order of the operations explains,"
    " by the checker that found them. They are what users met until the heal; losses are what was"
    " left afterwards."
)
UNCONTROLLED = (
    "uncontrolled: no topology of this run lost anything under this fault, so nothing shows that"
    " a loss would have been seen."
)
UNDECIDED = Cell("undecided", tone="none")


def section(material: Material) -> Section | None:
    """Make the section, if a failover was measured."""
    every = material.summary.failovers
    if not every:
        return None
    notes = [READING]
    if crossed := cross_checked(every):
        notes.append(crossed)
    if paused := [figures for figures in every if figures.paused]:
        notes.append(
            f"Hosts could not be cut off here ({paused[0].why_no_cut}): a partition was a pause of"
            " the primary (SIGSTOP) instead. A paused primary acknowledges nothing, so its losses"
            " say nothing about a partition."
        )
    if missed := [figures for figures in every if figures.took_over < len(figures.trials)]:
        which = [f"{figures.label} ({figures.fault})" for figures in missed]
        notes.append(f"In some trials nobody had taken over when it ended: {'; '.join(which)}.")
    return Section(
        "failover",
        "What a fault of the primary took",
        [*material.drawn("failover", "lengths"), Prose(notes), _table(material)],
    )


def _table(material: Material) -> Table:
    every = material.summary.failovers
    backend = {subject.label: subject.backend for subject in material.run.subjects}
    return Table(
        name="failover",
        caption="What each fault of the primary took",
        corner="Topology",
        columns=[
            Column("acknowledged", "writes"),
            Column("lost", "writes"),
            Column("lost", "sessions"),
            Column("rotated token resurrected", "sessions"),
            Column("revoked token resurrected", "sessions"),
            Column("spent twice", "tokens"),
            Column("contradictions", "sessions"),
            Column("fault lasted", "ms"),
            Column("until the majority was served again", "ms"),
            Column("from the heal to agreement", "ms"),
            Column("unanswered", "calls"),
            Column("integrity check"),
        ],
        groups=[
            Group(
                f"{fault} (n={formats.listed(_sizes(every, fault))})",
                [
                    Row(
                        material.names[figures.label],
                        _cells(figures),
                        material.colours[backend[figures.label]],
                    )
                    for figures in every
                    if figures.fault == fault
                ],
            )
            for fault in dict.fromkeys(figures.fault for figures in every)
        ],
    )


def _sizes(every: Sequence[FailoverFigures], fault: str) -> list[str]:
    return [str(n) for n in sorted({len(f.trials) for f in every if f.fault == fault})]


def _cells(figures: FailoverFigures) -> Sequence[Cell]:
    wrong = "; ".join(figures.integrity)
    return [
        *_lost(figures),
        _spent_twice(figures),
        _contradictions(figures),
        Cell(formats.milliseconds(figures.lasted_ns), _ms(figures.lasted_ns)),
        _outage(figures.outage),
        Cell(formats.milliseconds(figures.settled_ns), _ms(figures.settled_ns)),
        Cell(f"{figures.unanswered:,}", number=figures.unanswered),
        Cell(wrong, tone="bad") if wrong else Cell("nothing wrong"),
    ]


def _lost(figures: FailoverFigures) -> Sequence[Cell]:
    """Give acknowledged and lost writes, and the three harms of losing them."""
    if not figures.decided:
        return [UNDECIDED] * 5
    harms = (figures.lost_sessions, figures.resurrected_rotated, figures.resurrected_revoked)
    return [
        Cell(f"{figures.acknowledged:,}", number=figures.acknowledged),
        _lost_writes(figures),
        *[_harm(number) for number in harms],
    ]


def _lost_writes(figures: FailoverFigures) -> Cell:
    source = formats.trials(figures.trials)
    n = figures.decided
    if figures.lost_writes:
        detail = formats.percent(figures.lost_writes / figures.acknowledged)
        return Cell(
            f"{figures.lost_writes:,}", figures.lost_writes, detail, tone="bad", source=source
        )
    bound = f"in 0 of {n}: ≤ {formats.bound(zero_bound(n))}"
    if figures.controlled_by:
        seen = f"A loss was seen in {formats.listed(figures.controlled_by)} under this fault."
        return Cell("0", 0, bound, notes=(seen,), source=source)
    return Cell("0", 0, bound, marks=("uncontrolled",), notes=(UNCONTROLLED,), source=source)


def _spent_twice(figures: FailoverFigures) -> Cell:
    spent = figures.spent_twice
    if spent is None:
        return UNDECIDED
    return Cell(
        f"{spent:,}",
        number=spent,
        detail=f"of {figures.shown_on_both_sides:,} shown on both sides",
        tone="bad" if spent else "",
    )


def _contradictions(figures: FailoverFigures) -> Cell:
    """Give how many sessions each checker found something in; one may be named by several."""
    said = [f"{name} {number:,}" for name, number in sorted(figures.anomalies.items())]
    said += [f"{name} undecided" for name in sorted(figures.undecided)]
    notes = [f"{name} could not tell: {why}" for name, why in sorted(figures.undecided.items())]
    if not said:
        return Cell("none")
    return Cell(
        "; ".join(said),
        tone="bad" if figures.anomalies else "",
        notes=notes,
    )


def _outage(median: Waited | None) -> Cell:
    if median is None:
        return Cell("not measured", tone="none")
    text = formats.milliseconds(median.ns)
    return Cell(text if median.over else f"> {text}", _ms(median.ns))


def _harm(number: int) -> Cell:
    return Cell(f"{number:,}", number=number, tone="bad" if number else "")


def _ms(nanoseconds: float) -> float:
    return nanoseconds / 1e6
