"""What topologies cost, in plain words: faults of the primary, and reads from replicas."""

from collections.abc import Mapping, Sequence

from bench.analysis.estimate import zero_bound
from bench.analysis.failover import FailoverFigures
from bench.analysis.staleness import StalenessFigures
from bench.report import formats


def failover_points(
    every: Sequence[FailoverFigures], names: Mapping[str, str]
) -> Sequence[tuple[str, str]]:
    """Give one point a fault: who lost how much of what it had acknowledged, and who nothing."""
    return [
        (
            f"What a fault of the primary took ({fault}).",
            _said([f for f in every if f.fault == fault], names),
        )
        for fault in dict.fromkeys(figures.fault for figures in every)
    ]


def _said(every: Sequence[FailoverFigures], names: Mapping[str, str]) -> str:
    losers = [figures for figures in every if figures.lost_writes]
    kept = [figures for figures in every if figures.kept]
    undecided = [names[figures.label] for figures in every if not figures.decided]
    parts = []
    if losers:
        each = [
            f"{names[figures.label]} {figures.lost_writes:,} of {figures.acknowledged:,}"
            for figures in sorted(losers, key=lambda one: -one.lost_writes / one.acknowledged)
        ]
        parts.append(f"Lost of the writes it had acknowledged: {formats.listed(each)}.")
    if kept:
        n = min(figures.decided for figures in kept)
        parts.append(
            f"Nothing was lost in {formats.listed([names[figures.label] for figures in kept])}"
            + (
                f": with {formats.count(n, 'trial')} of each, up to {formats.bound(zero_bound(n))}"
                " of such faults may still lose."
                if losers
                else ": uncontrolled, since nobody lost anything, so it proves nothing."
            )
        )
    if undecided:
        parts.append(f"Undecided in {formats.listed(undecided)}.")
    twice = [f"{names[f.label]} {f.double_spends:,}" for f in every if f.double_spends]
    if twice:
        parts.append(f"Tokens that both sides accepted: {formats.listed(twice)}.")
    return " ".join(parts)


def staleness_points(
    every: Sequence[StalenessFigures], names: Mapping[str, str]
) -> Sequence[tuple[str, str]]:
    """Give one point: for how long replicas accepted what was revoked."""
    if not every:
        return []
    each = "; ".join(f"{names[one.label]} {_accepted(one)}" for one in every)
    return [("Through a replica.", f"For how long a revoked token was accepted: {each}.")]


def _accepted(figures: StalenessFigures) -> str:
    never = [f"{figures.never:,} never refused while watched"] if figures.never else []
    if figures.longest_ns is None:
        return ", ".join(never or ["no logout was acknowledged"])
    parts = [f"{formats.milliseconds(figures.longest_ns)} ms at most", *never]
    if never:
        parts[0] += " where it was refused"
    if figures.p99_ns is not None:
        within = f"{formats.milliseconds(figures.p99_ns)} ms or less in 99 of 100 logouts"
        parts.insert(0, within)
    return ", ".join(parts)
