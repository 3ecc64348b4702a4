"""What an operation costs beside CPU: bytes to disk, fsyncs, bytes over the network."""

from collections.abc import Sequence

from bench.analysis.estimate import Estimate, estimate
from bench.record import Record
from scenarios.cost import FIGURES, Figure
from scenarios.latency import Cell

NOT_KEPT = "the run is of a version that did not record it"


class CostFigures(Record):
    """Per operation that ended as expected; a median over trials."""

    per_operation: dict[Figure, Estimate]
    missing: dict[Figure, str]
    """Figure that isn't there -> the reason."""


def cost_figures(cells: Sequence[Cell]) -> CostFigures:
    """Gather what was recorded of one cell over its trials."""
    found: dict[Figure, Estimate] = {}
    missing: dict[Figure, str] = {}
    for name in FIGURES:
        each: list[float] = []
        for cell in cells:
            total = getattr(cell.cost, name) if cell.cost else None
            if total is not None:
                each.append(total / cell.completed)
            else:
                missing[name] = cell.cost.missing.get(name, NOT_KEPT) if cell.cost else NOT_KEPT
        if name not in missing:
            found[name] = estimate(each)
    return CostFigures(per_operation=found, missing=missing)
