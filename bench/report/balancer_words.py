"""What a load balancer costs the users of a store that instances can't share, in plain words."""

from collections.abc import Mapping, Sequence

from bench.analysis.balancer import BalancerFigures
from bench.report import formats


def balancer_points(
    every: Sequence[BalancerFigures], names: Mapping[str, str]
) -> Sequence[tuple[str, str]]:
    """Give one point an arrangement: whose users were refused how often, and whose never."""
    return [
        (
            f"Behind a balancer ({arrangement}).",
            _said([one for one in every if one.arrangement == arrangement], names),
        )
        for arrangement in dict.fromkeys(one.arrangement for one in every)
    ]


def _said(every: Sequence[BalancerFigures], names: Mapping[str, str]) -> str:
    refused = [
        f"{_called(one, names)} {formats.percent(one.all_refused / one.refreshes)}"
        for one in every
        if one.all_refused
    ]
    spared = [_called(one, names) for one in every if not one.all_refused]
    undead = [
        f"{_called(one, names)} {one.alive_after_logout:,} of {one.logouts:,}"
        for one in every
        if one.alive_after_logout
    ]
    parts = []
    if refused:
        parts.append(f"Refreshes that were refused: {formats.listed(refused)}.")
    if spared:
        parts.append(f"None was refused by {formats.listed(spared)}.")
    if undead:
        parts.append(f"Sessions still good after their logout: {formats.listed(undead)}.")
    return " ".join(parts)


def _called(figures: BalancerFigures, names: Mapping[str, str]) -> str:
    """Name a store, and say where it was one to each instance."""
    return f"{names[figures.label]} (one each)" if figures.apart else names[figures.label]
