"""The figures in plain words. Every sentence is made from figures; none has an opinion."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.durability import FaultFigures
from bench.analysis.latency import LatencyCell, Metric
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.balancer_words import balancer_points
from bench.report.formats import listed
from bench.report.topology_words import failover_points, staleness_points

PLACES = {
    Durability.POWER_CUT: "Inside the class “power cut”",
    Durability.CRASH: "Inside the class “crash” (a power cut may lose acknowledged writes)",
    Durability.RESTART: "Inside the class “restart” (a crash may lose acknowledged writes)",
    Durability.NONE: "Inside the class “nothing” (what ends the process loses everything)",
}

Names = Mapping[str, str]
Point = tuple[str, str]
"""What it is about, and what the figures say of it."""


def reading(summary: Summary, names: Names) -> Sequence[Point]:
    """Give one point a durability class, then what faults took, and who won the races."""
    classes = [
        _class(summary, names, durability, members)
        for durability, members in summary.by_class()
        if durability in PLACES and summary.cells
    ]
    faults = [_fault(summary, names, fault) for fault in dict.fromkeys(_faults(summary))]
    return [
        *classes,
        *faults,
        *_races(summary, names),
        *balancer_points(summary.balancers, names),
        *failover_points(summary.failovers, names),
        *staleness_points(summary.staleness, names),
        *_against(summary, names),
    ]


def _class(
    summary: Summary, names: Names, durability: Durability, members: Sequence[SubjectFacts]
) -> Point:
    at = _telling(summary, members)
    cells = [cell for subject in members if (cell := summary.cell(subject.label, "rotate", at))]
    where = f"{PLACES[durability]}, at {formats.count(at or 0, 'connection')}."
    if not cells:
        return f"{PLACES[durability]}.", "Rotation was not measured."
    parts = [*_order(cells, names, "throughput"), *_order(cells, names, "p99")]
    if not parts:
        alone = len(cells) == 1 and cells[0].ranked
        each = [f"{names[cell.label]} {_figure(cell, 'throughput')}" for cell in cells]
        why = "Nobody to be compared with" if alone else "No two subjects can be ranked"
        parts = [f"{why}: {listed(each)} rotations a second."]
    if limited := [names[cell.label] for cell in cells if "generator-limited" in cell.why]:
        parts.append(f"The load generator, not the store, was the limit for {listed(limited)}.")
    if few := [names[cell.label] for cell in cells if cell.ranked and cell.p99_ns is None]:
        parts.append(f"Too few rotations a trial for a p99 to rank: {listed(few)}.")
    return where, " ".join([*parts, *_cpu(cells, names)])


def _telling(summary: Summary, members: Sequence[SubjectFacts]) -> int | None:
    """Choose the reference concurrency, or the nearest one at which there are ranks to tell of."""
    labels = {subject.label for subject in members}
    with_ranks = {
        cell.connections
        for cell in summary.cells
        if cell.label in labels and cell.workload == "rotate" and cell.ranks
    }
    reference = summary.reference_connections or 0
    if not with_ranks or reference in with_ranks:
        return summary.reference_connections
    return min(with_ranks, key=lambda n: (abs(n - reference), n))


def _order(cells: Sequence[LatencyCell], names: Names, metric: Metric) -> Sequence[str]:
    """Say who is ahead by one metric, and who can't be told apart."""
    ranked = sorted((c for c in cells if metric in c.ranks), key=lambda c: _merit(c, metric))
    if not ranked:
        return []
    what = "Rotations a second" if metric == "throughput" else "Rotation p99 (median over trials)"
    each = []
    for cell in ranked:
        rank = cell.ranks[metric]
        tie = f" (tie for {rank.place})" if rank.tie else ""
        each.append(f"{names[cell.label]} {_figure(cell, metric)}{tie}")
    return [f"{what}, best first: {', '.join(each)}."]


def _merit(cell: LatencyCell, metric: Metric) -> float:
    estimate = cell.metric(metric)
    assert estimate is not None, cell.label
    return -estimate.value if metric == "throughput" else estimate.value


def _figure(cell: LatencyCell, metric: Metric) -> str:
    estimate = cell.metric(metric)
    assert estimate is not None, cell.label
    if metric == "throughput":
        return formats.significant(estimate.value)
    return f"{formats.milliseconds(estimate.value)} ms"


def _cpu(cells: Sequence[LatencyCell], names: Names) -> Sequence[str]:
    known = sorted((c.server_cpu_us.value, names[c.label]) for c in cells if c.server_cpu_us)
    each = [f"{name} {formats.significant(value)} µs" for value, name in known]
    return [f"Server CPU a rotation: {listed(each)}."] if each else []


def _faults(summary: Summary) -> Sequence[str]:
    return [figures.fault for figures in summary.faults]


def _fault(summary: Summary, names: Names, fault: str) -> Point:
    figures = [f for f in summary.faults if f.fault == fault and not f.held_by_client]
    _, done, _ = formats.FAULTS.get(fault, (fault, fault, fault))
    lost = [
        f"{names[f.label]} {f.losses['lost_writes'].total:,} of {f.acknowledged:,}"
        for f in figures
        if f.losses["lost_writes"].total
    ]
    parts = [
        f"Acknowledged writes lost: {listed(lost)}."
        if lost
        else "Nobody lost an acknowledged write, so nothing shows that it could be seen."
    ]
    parts += _kept(figures, names, fault)
    for harm, words in (
        ("resurrected_rotated", "A rotated token was good again"),
        ("resurrected_revoked", "A logged-out session lived again"),
    ):
        back = [
            f"{names[f.label]} ({formats.count(f.losses[harm].total, 'session')})"
            for f in figures
            if harm in f.losses and f.losses[harm].total
        ]
        parts += [f"{words} in {listed(back)}."] if back else []
    return f"{done[0].upper()}{done[1:]}.", " ".join(parts)


def _kept(figures: Sequence[FaultFigures], names: Names, fault: str) -> Sequence[str]:
    one, _, several = formats.FAULTS.get(fault, (fault, fault, f"{fault}s"))
    by_size: dict[int, list[FaultFigures]] = defaultdict(list)
    for found in figures:
        if not found.losses["lost_writes"].total:
            by_size[len(found.trials)].append(found)
    sentences = []
    for n, those in sorted(by_size.items()):
        bound = formats.bound(those[0].losses["lost_writes"].bound or 1)
        kept = listed([names[found.label] for found in those])
        sentences.append(
            f"None lost in {formats.count(n, one, several)} of each of {kept}: the true share of"
            f" {several} that lose may be as high as {bound}."
        )
    return sentences


def _races(summary: Summary, names: Names) -> Sequence[Point]:
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
    return [("Races for one token.", " ".join(parts))]


def _against(summary: Summary, names: Names) -> Sequence[Point]:
    labels = dict.fromkeys(names[one.label] for one in summary.contradictions)
    if not labels:
        return []
    return [("Against what it declares:", f"{listed([*labels])}; the figures are below.")]
