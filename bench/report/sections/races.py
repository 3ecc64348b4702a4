"""What instances see of each other, and how many win one race."""

from collections.abc import Sequence

from bench.analysis.consistency import RaceFigures, SeenAtOnce
from bench.report import cells, formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table
from bench.report.comparison import CLASS_WORDS

ACTS = ("issue", "rotate", "revoke")
READING = (
    "Seen at once: looks by other instances right after the acknowledgement that saw the act. A"
    " race is contested where another call overlapped the winner's."
)


def section(material: Material) -> Section | None:
    """Make the section, if consistency was measured."""
    summary = material.summary
    if not summary.races and not summary.sightings:
        return None
    guilty = list(dict.fromkeys(races.label for races in summary.races if races.double_spends))
    control = (
        f"Positive control: {formats.listed(guilty)} had several winners in this run, so it could"
        " be seen."
        if guilty
        else "No subject of this run had several winners, so nothing shows that it could be seen."
    )
    return Section(
        "races",
        "Several instances on one store",
        [*material.drawn("races"), Prose([control]), _table(material)],
    )


def _table(material: Material) -> Table:
    summary = material.summary
    instances = sorted({races.instances for races in summary.races})
    groups = []
    for durability, members in summary.by_class():
        rows = []
        for subject in members:
            looks = [one for one in summary.sightings if one.label == subject.label]
            races = [one for one in summary.races if one.label == subject.label]
            rows.append(
                Row(
                    material.names[subject.label],
                    [
                        *[_seen([one for one in looks if one.act == act]) for act in ACTS],
                        *[_raced(races, n) for n in instances],
                        _histogram(races),
                    ],
                    material.colours[subject.backend],
                )
            )
        groups.append(Group(CLASS_WORDS[durability], rows))
    return Table(
        name="consistency",
        caption="Seen at once by other instances, and winners of races for one token",
        corner="Subject",
        columns=[
            *[Column(f"{act} seen at once", "looks") for act in ACTS],
            *[Column(f"winners, {n} instances", "most") for n in instances],
            Column("winners: contested races"),
        ],
        groups=groups,
        legend=[READING],
    )


def _seen(looks: Sequence[SeenAtOnce]) -> Cell:
    if not looks:
        return cells.NOT_MEASURED
    seen, every = sum(one.seen for one in looks), sum(one.looks for one in looks)
    return Cell(
        f"{seen:,} of {every:,}",
        number=seen,
        detail=f"at most {formats.milliseconds(max(o.largest_delay_ns for o in looks))} ms after",
        tone="bad" if seen < every else "",
        source=formats.trials(list(dict.fromkeys(t for one in looks for t in one.trials))),
    )


def _raced(races: Sequence[RaceFigures], instances: int) -> Cell:
    return cells.winners_cell(next((one for one in races if one.instances == instances), None))


def _histogram(races: Sequence[RaceFigures]) -> Cell:
    total: dict[int, int] = {}
    for one in races:
        for winners, rounds in one.winners.items():
            total[winners] = total.get(winners, 0) + rounds
    if not total:
        return cells.NOT_MEASURED
    return Cell(", ".join(f"{winners}: {rounds:,}" for winners, rounds in sorted(total.items())))
