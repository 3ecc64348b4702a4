"""What an operation costs: CPU, bytes to disk, fsyncs, bytes over the network."""

from collections.abc import Sequence
from typing import Protocol

from bench.analysis.estimate import Estimate, estimate
from bench.record import Record
from scenarios.cost import FIGURES, Cost, Figure

NOT_KEPT = "the run is of a version that did not record it"


class Costed(Protocol):
    """What was done in one trial, and what it took."""

    @property
    def completed(self) -> int:
        """Operations that ended as expected."""

    @property
    def client_cpu_ns(self) -> int:
        """Of all worker processes."""

    @property
    def server_cpu_ns(self) -> int | None:
        """None where there is no server, or it isn't ours to look at."""

    @property
    def cost(self) -> Cost | None:
        """Disk, fsyncs and network; None in older records."""


class CostFigures(Record):
    """Per operation that ended as expected; a median over trials."""

    per_operation: dict[Figure, Estimate]
    missing: dict[Figure, str]
    """Figure that isn't there -> the reason."""


class Spending(Record):
    """All of it, per operation that ended as expected."""

    client_cpu_us: float
    server_cpu_us: Estimate | None
    cost: CostFigures


def spending(cells: Sequence[Costed]) -> Spending | None:
    """Gather what one cell took over its trials; None where nothing came out well."""
    done = [cell for cell in cells if cell.completed]
    if not done:
        return None
    return Spending(
        client_cpu_us=client_cpu_us(done),
        server_cpu_us=server_cpu_us(done),
        cost=cost_figures(done),
    )


def client_cpu_us(cells: Sequence[Costed]) -> float:
    """Give the clients' CPU per operation, over all trials."""
    return sum(cell.client_cpu_ns for cell in cells) / 1e3 / sum(c.completed for c in cells)


def server_cpu_us(cells: Sequence[Costed]) -> Estimate | None:
    """Give the server's CPU per operation; None where a trial doesn't know it."""
    each = [c.server_cpu_ns / 1e3 / c.completed for c in cells if c.server_cpu_ns is not None]
    return estimate(each) if each and len(each) == len(cells) else None


def cost_figures(cells: Sequence[Costed]) -> CostFigures:
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
