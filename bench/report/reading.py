"""The figures in plain words. Every sentence is made from figures; none has an opinion."""

from collections import defaultdict
from collections.abc import Sequence

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.durability import FaultFigures
from bench.analysis.latency import LatencyCell, Metric
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.formats import listed

PLACES = {
    Durability.POWER_CUT: "Inside the class “power cut”",
    Durability.CRASH: "Inside the class “crash” (a power cut may lose acknowledged writes)",
    Durability.RESTART: "Inside the class “restart” (a crash may lose acknowledged writes)",
    Durability.NONE: "Inside the class “nothing” (what ends the process loses everything)",
}


def reading(summary: Summary) -> Sequence[str]:
    """Give one paragraph a durability class, then what faults took, and who won the races."""
    classes = [
        _class(summary, durability, members)
        for durability, members in summary.by_class()
        if durability in PLACES and summary.cells
    ]
    return [*classes, *_faults(summary), *_consistency(summary), *_against(summary)]


def _class(summary: Summary, durability: Durability, members: Sequence[SubjectFacts]) -> str:
    at = _telling(summary, members)
    cells = [cell for subject in members if (cell := summary.cell(subject.label, "rotate", at))]
    where = f"{PLACES[durability]}, at {formats.count(at or 0, 'connection')}"
    if not cells:
        return f"{PLACES[durability]}: latency was not measured."
    ranked = [cell for cell in cells if cell.ranks]
    parts = [f"{where}: {_order(ranked, 'throughput')}, {_order(ranked, 'p99')}."] if ranked else []
    if not parts and len(cells) == 1:
        parts = [f"{where}: {cells[0].label} is alone, at {_figure(cells[0], 'throughput')}."]
    elif not parts:
        parts = [f"{where}: no two subjects can be ranked."]
    if limited := [cell.label for cell in cells if "generator-limited" in cell.why]:
        parts.append(f"The load generator, not the store, was the limit for {listed(limited)}.")
    if carried := _capacity(cells):
        parts.append(carried)
    return " ".join(parts)


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


def _order(cells: Sequence[LatencyCell], metric: Metric) -> str:
    ranked = sorted(
        (cell for cell in cells if metric in cell.ranks), key=lambda cell: cell.ranks[metric].place
    )
    what = "rotations a second" if metric == "throughput" else "the shortest rotation p99"
    if not ranked:
        return f"{what} could not be ranked"
    first = [cell for cell in ranked if cell.ranks[metric].place == 1]
    rest = [cell for cell in ranked if cell.ranks[metric].place > 1]
    names = listed([f"{cell.label} ({_figure(cell, metric)})" for cell in first])
    verb = "has the most" if metric == "throughput" else "has"
    text = f"{names} {verb} {what}"
    if len(first) > 1:
        text = f"{names} tie for {'the most ' if metric == 'throughput' else ''}{what}"
    if rest:
        text += f", then {listed([f'{cell.label} ({_figure(cell, metric)})' for cell in rest])}"
    return text


def _figure(cell: LatencyCell, metric: Metric) -> str:
    estimate = cell.metric(metric)
    assert estimate is not None, cell.label
    if metric == "throughput":
        return f"{formats.significant(estimate.value)}/s"
    return f"{formats.milliseconds(estimate.value)} ms"


def _capacity(cells: Sequence[LatencyCell]) -> str:
    known = [cell for cell in cells if cell.server_cpu_us and cell.core_capacity]
    known.sort(key=lambda cell: cell.server_cpu_us.value if cell.server_cpu_us else 0)
    if not known:
        return ""
    each = [
        f"{cell.label} {formats.significant(cell.server_cpu_us.value)} µs"
        for cell in known
        if cell.server_cpu_us
    ]
    return f"Server CPU a rotation: {listed(each)}."


def _faults(summary: Summary) -> Sequence[str]:
    sentences = []
    for fault in dict.fromkeys(figures.fault for figures in summary.faults):
        figures = [f for f in summary.faults if f.fault == fault and not f.held_by_client]
        _, done, several = formats.FAULTS.get(fault, (fault, fault, f"{fault}s"))
        lost = [f for f in figures if f.losses["lost_writes"].total]
        kept = [f for f in figures if not f.losses["lost_writes"].total]
        parts = []
        if lost:
            each = [
                f"{f.label} {f.losses['lost_writes'].total:,} of {f.acknowledged:,}" for f in lost
            ]
            parts.append(f"lost of acknowledged writes: {listed(each)}.")
        else:
            parts.append("nobody lost an acknowledged write, so nothing shows it could be seen.")
        parts += [f"{names} lost none {bound}." for names, bound in _kept(kept, several)]
        back = [f for f in figures if f.losses["resurrected_revoked"].total]
        if back:
            each = [f"{f.label} ({f.losses['resurrected_revoked'].total:,})" for f in back]
            parts.append(f"Logged-out sessions lived again in {listed(each)}.")
        sentences.append(f"{done[0].upper()}{done[1:]}: {' '.join(parts)}")
    return sentences


def _kept(kept: Sequence[FaultFigures], several: str) -> Sequence[tuple[str, str]]:
    by_size: dict[int, list[FaultFigures]] = defaultdict(list)
    for figures in kept:
        by_size[len(figures.trials)].append(figures)
    return [
        (
            listed([f.label for f in those]),
            (
                f"in {n} {several if n > 1 else 'trial'} each, which leaves a true share of up to"
                f" {formats.bound(those[0].losses['lost_writes'].bound or 1)}"
            ),
        )
        for n, those in sorted(by_size.items())
    ]


def _consistency(summary: Summary) -> Sequence[str]:
    sentences = []
    by_label: dict[str, tuple[int, int, int]] = {}
    for races in summary.races:
        most, _, contested = by_label.get(races.label, (0, 0, 0))
        spent = by_label.get(races.label, (0, 0, 0))[1] + races.double_spends
        by_label[races.label] = (
            max(most, races.most_winners or 0),
            spent,
            contested + races.contested,
        )
    several = [
        f"{label} (up to {most}, in {spent:,} of {contested:,} races)"
        for label, (most, spent, contested) in by_label.items()
        if spent
    ]
    single = [label for label, (_, spent, contested) in by_label.items() if not spent and contested]
    if several:
        sentences.append(f"Races for one token had several winners in {listed(several)}.")
    if single:
        proof = "" if several else " No subject had more, so nothing shows that it could be seen."
        sentences.append(f"Races never had more than one winner in {listed(single)}.{proof}")
    blind = list(dict.fromkeys(s.label for s in summary.sightings if s.seen < s.looks))
    if blind:
        sentences.append(
            f"Instances do not all see each other's acknowledged writes at once in {listed(blind)}."
        )
    return [" ".join(sentences)] if sentences else []


def _against(summary: Summary) -> Sequence[str]:
    labels = list(dict.fromkeys(one.label for one in summary.contradictions))
    if not labels:
        return []
    return [f"The record contradicts what {listed(labels)} declares; see below."]
