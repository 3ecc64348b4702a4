"""What instances see of each other, and who wins when they meet."""

from collections.abc import Sequence

from bench.analysis import Summary
from bench.analysis.consistency import RaceFigures, SeenAtOnce, controls
from bench.analysis.estimate import zero_bound
from bench.record import SubjectFacts
from bench.report import cells, formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table
from bench.report.comparison import CLASS_WORDS
from bench.report.cross_check import cross_checked

ACTS = ("issue", "rotate", "revoke")
READING = (
    "Seen at once: looks by other instances right after the acknowledgement that saw the act. A"
    " race is contested where another call overlapped the winner's."
)
JUDGED = (
    "Lost: after a contested race a token was good that should not be. False alarm: a refusal that"
    " nothing anybody did explains. Judged from each race's history by checkers that a search for"
    " an order of its operations cross-checks."
)
UNCONTROLLED = (
    "Uncontrolled: no subject of this run lost such a race, so nothing shows that it could be seen."
)
NAIVE = "Naive ways: read, decide, write back; the positive control, compared with nobody"


def section(material: Material) -> Section | None:
    """Make the section, if consistency was measured."""
    summary = material.summary
    if not summary.races and not summary.sightings:
        return None
    tables = [_sightings_and_winners(material)]
    if summary.other_races:
        tables.append(_every_kind(material))
    return Section(
        "races",
        "Several instances on one store",
        [*material.drawn("races"), Prose(_control(summary)), *tables],
    )


def _control(summary: Summary) -> Sequence[str]:
    """Say what shows that a lost race could be seen, and what cross-checked the verdicts."""
    every = [*summary.races, *summary.other_races]
    guilty = list(dict.fromkeys(races.label for races in summary.races if races.double_spends))
    said = [
        f"Positive control: {formats.listed(guilty)} had several winners in this run, so it could"
        " be seen."
        if guilty
        else "No subject of this run had several winners, so nothing shows that it could be seen."
    ]
    if crossed := cross_checked(every):
        said.append(crossed)
    return said


def _sightings_and_winners(material: Material) -> Table:
    summary = material.summary
    instances = sorted({races.instances for races in summary.races})
    return Table(
        name="consistency",
        caption="Seen at once by other instances, and winners of races for one token",
        corner="Subject",
        columns=[
            *[Column(f"{act} seen at once", "looks") for act in ACTS],
            *[Column(f"winners, {n} instances", "most") for n in instances],
            Column("winners: contested races"),
        ],
        groups=[
            Group(
                heading,
                [_plain_row(material, subject, instances) for subject in members],
            )
            for heading, members in _groups(summary)
        ],
        legend=[READING],
    )


def _plain_row(material: Material, subject: SubjectFacts, instances: Sequence[int]) -> Row:
    summary = material.summary
    looks = [one for one in summary.sightings if one.label == subject.label]
    races = [one for one in summary.races if one.label == subject.label]
    return Row(
        material.names[subject.label],
        [
            *[_seen([one for one in looks if one.act == act], subject) for act in ACTS],
            *[_raced([one for one in races if one.instances == n], subject) for n in instances],
            _histogram(races),
        ],
        material.colours[subject.backend],
    )


def _every_kind(material: Material) -> Table:
    summary = material.summary
    every = [*summary.races, *summary.other_races]
    kinds = list(dict.fromkeys((one.contest, one.mishap) for one in every))
    rows = [
        Group(
            heading,
            [
                Row(
                    material.names[subject.label],
                    [_met(subject, *kind, every) for kind in kinds],
                    material.colours[subject.backend],
                )
                for subject in members
            ],
        )
        for heading, members in _groups(summary)
    ]
    return Table(
        name="races",
        caption="Races lost, by what met and what went wrong meanwhile, all numbers of instances",
        corner="Subject",
        columns=[Column(_heading(*kind), "lost") for kind in kinds],
        groups=rows,
        legend=[JUDGED],
    )


def _heading(contest: str, mishap: str) -> str:
    return formats.CONTESTS[contest] + ("" if mishap == "none" else f", {mishap}")


def _groups(summary: Summary) -> Sequence[tuple[str, Sequence[SubjectFacts]]]:
    classes = [(CLASS_WORDS[durability], members) for durability, members in summary.by_class()]
    naive = [subject for subject in summary.subjects if subject.naive]
    return [*classes, (NAIVE, naive)] if naive else classes


def _met(subject: SubjectFacts, contest: str, mishap: str, every: Sequence[RaceFigures]) -> Cell:
    """Write how many races of one kind a subject lost, over all numbers of instances."""
    if contest != "rotate" and (why := subject.lacking.get("revokes")):
        return Cell("n/a", detail=why, tone="none")
    kind = subject.label, contest, mishap
    races = [one for one in every if (one.label, one.contest, one.mishap) == kind]
    if not races:
        return cells.NOT_MEASURED
    if why := races[0].unsuited:
        return Cell("n/a", detail=why, tone="none")
    source = formats.trials(list(dict.fromkeys(t for one in races for t in one.trials)))
    contested, harmed = sum(o.contested for o in races), sum(o.harmed for o in races)
    alarms = sum(one.false_alarms for one in races)
    if undecided := [why for one in races for why in one.undecided.values()]:
        return Cell("undecided", tone="none", notes=(f"A checker crashed: {undecided[0]}.",))
    if not contested:
        why = "No call overlapped the one that decides in any round, so nothing was tested."
        return Cell(formats.NOTHING, tone="none", notes=(why,), source=source)
    shown = formats.count(alarms, "false alarm") if alarms else ""
    text = f"{harmed:,} of {contested:,}"
    threads = cells.by_threads(subject)
    if harmed:
        return Cell(text, harmed, detail=shown, tone="bad", notes=threads, source=source)
    bound = f"≤ {formats.bound(zero_bound(contested))}"
    marks = () if controls(races[0], every) else ("uncontrolled",)
    notes = [*([UNCONTROLLED] if marks else []), *threads]
    detail = f"{bound}, {shown}" if shown else bound
    return Cell(
        text, harmed, detail=detail, marks=marks, notes=notes, source=source,
        tone="bad" if alarms else "",
    )  # fmt: skip


def _seen(looks: Sequence[SeenAtOnce], subject: SubjectFacts) -> Cell:
    if not looks:
        return cells.NOT_MEASURED
    seen, every = sum(one.seen for one in looks), sum(one.looks for one in looks)
    return Cell(
        f"{seen:,} of {every:,}",
        number=seen,
        detail=f"at most {formats.milliseconds(max(o.largest_delay_ns for o in looks))} ms after",
        tone="bad" if seen < every else "",
        notes=cells.by_processes(subject),
        source=formats.trials(list(dict.fromkeys(t for one in looks for t in one.trials))),
    )


def _raced(races: Sequence[RaceFigures], subject: SubjectFacts) -> Cell:
    return cells.winners_cell(next(iter(races), None), subject)


def _histogram(races: Sequence[RaceFigures]) -> Cell:
    total: dict[int, int] = {}
    for one in races:
        for winners, rounds in one.winners.items():
            total[winners] = total.get(winners, 0) + rounds
    if not total:
        return cells.NOT_MEASURED
    return Cell(", ".join(f"{winners}: {rounds:,}" for winners, rounds in sorted(total.items())))
