"""What failovers cost, in plain words."""

from collections.abc import Mapping, Sequence

from bench.analysis.failover import FailoverFigures
from bench.report import formats


def failover_points(
    every: Sequence[FailoverFigures], names: Mapping[str, str]
) -> Sequence[tuple[str, str]]:
    """Give one point a fault: who lost how much of what it had acknowledged, and who nothing."""
    return [
        (f"When another took over ({fault}).", _said([f for f in every if f.fault == fault], names))
        for fault in dict.fromkeys(figures.fault for figures in every)
    ]


def _said(every: Sequence[FailoverFigures], names: Mapping[str, str]) -> str:
    losers = [figures for figures in every if figures.lost_writes]
    kept = [names[figures.label] for figures in every if not figures.lost_writes]
    parts = []
    if losers:
        each = [
            f"{names[figures.label]} {figures.lost_writes:,} of {figures.acknowledged:,}"
            for figures in sorted(losers, key=lambda one: -one.lost_writes / one.acknowledged)
        ]
        parts.append(f"Lost of the writes it had acknowledged: {formats.listed(each)}.")
    if kept:
        parts.append(f"Nothing was lost in {formats.listed(kept)}.")
    twice = [f"{names[f.label]} {f.double_spends:,}" for f in every if f.double_spends]
    if twice:
        parts.append(f"Tokens that both sides accepted: {formats.listed(twice)}.")
    return " ".join(parts)
