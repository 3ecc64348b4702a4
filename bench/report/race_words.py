"""Who won when instances met, in plain words."""

from collections.abc import Mapping, Sequence

from bench.analysis import Summary
from bench.report import formats
from bench.report.formats import listed

Point = tuple[str, str]
"""What it is about, and what the figures say of it."""


def race_points(summary: Summary, names: Mapping[str, str]) -> Sequence[Point]:
    """Give a point for races for one token, and one for all other kinds; none if none ran."""
    if not summary.races:
        return []
    several: list[str] = []
    single: list[str] = []
    naive: list[str] = []
    for label in dict.fromkeys(races.label for races in summary.races):
        mine = [races for races in summary.races if races.label == label and races.contested]
        contested = sum(races.contested for races in mine)
        if spent := sum(races.double_spends for races in mine):
            most = max(races.most_winners or 0 for races in mine)
            lost = naive if mine[0].naive else several
            lost.append(f"{names[label]} (up to {most}, {spent:,} of {contested:,} races)")
        elif mine and not mine[0].naive:
            single.append(f"{names[label]} ({contested:,})")
    parts = [f"Several winners: {listed(several)}."] if several else []
    if naive:
        parts.append(f"Several among the naive ways, which are there for that: {listed(naive)}.")
    if single:
        parts.append(f"Never more than one, with the number of races: {listed(single)}.")
    if not several and not naive:
        parts.append("No subject had several, so nothing shows that it could be seen.")
    blind = [names[s.label] for s in summary.sightings if s.seen < s.looks]
    if blind:
        unseen = listed(list(dict.fromkeys(blind)))
        parts.append(f"Instances did not always see each other's acknowledged acts in {unseen}.")
    return [("Races for one token.", " ".join(parts)), *_other_kinds(summary, names)]


def _other_kinds(summary: Summary, names: Mapping[str, str]) -> Sequence[Point]:
    """Tell of races that end sessions, and of those amid mishaps, whoever isn't naive."""
    contested = [races for races in summary.other_races if races.contested and not races.unsuited]
    mine = [races for races in contested if not races.naive]
    if not mine:
        return []
    lost, alarmed, clean = [], [], []
    for label in dict.fromkeys(races.label for races in mine):
        every = [races for races in mine if races.label == label]
        many = sum(races.contested for races in every)
        harmed = sum(races.harmed for races in every)
        alarms = sum(races.false_alarms for races in every)
        lost += [f"{names[label]} {harmed:,} of {many:,}"] if harmed else []
        alarmed += [f"{names[label]} {formats.count(alarms, 'time')}"] if alarms else []
        clean += [] if harmed else [f"{names[label]} ({many:,})"]
    parts = [f"Lost: {listed(lost)}."] if lost else []
    if clean:
        parts.append(f"Not one lost, with the number of races: {listed(clean)}.")
    if alarmed:
        parts.append(f"Somebody was refused for nothing that anyone did: {listed(alarmed)}.")
    if not any(races.harmed for races in contested):
        parts.append("Nobody lost any, so nothing shows that it could be seen.")
    return [("Races that end sessions, or amid mishaps.", " ".join(parts))]
