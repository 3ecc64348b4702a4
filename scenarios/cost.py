"""What a store costs beside CPU and memory: disk, fsyncs and network, while it is measured."""

from collections.abc import Sequence
from typing import Literal, get_args

from scenarios.scenario import Findings

Figure = Literal["written_bytes", "fsyncs", "sent_bytes", "received_bytes"]
FIGURES: Sequence[Figure] = get_args(Figure)
DISK: Sequence[Figure] = ("written_bytes", "fsyncs")
NETWORK: Sequence[Figure] = ("sent_bytes", "received_bytes")


class Cost(Findings):
    """Totals of one measured cell. A figure that can't be had is None, and `missing` says why."""

    written_bytes: int | None
    """Bytes sent towards the disk by the server's processes, or by the clients' where the store is
    inside them: pages made dirty, as /proc/PID/io counts them (proc(5), write_bytes)."""
    fsyncs: int | None
    """fsync, fdatasync and synchronous writes of the same processes, counted by the kernel."""
    sent_bytes: int | None
    """What the clients sent over TCP and the other side acknowledged, without headers."""
    received_bytes: int | None
    """What the clients received over TCP, without headers."""
    missing: dict[Figure, str]
    """Figure that can't be had -> the reason."""


def added(costs: Sequence[Cost]) -> Cost:
    """Add up what several processes cost; what one of them can't tell, nobody knows in all."""
    missing: dict[Figure, str] = {}
    for cost in costs:
        missing |= cost.missing
    return Cost(**{name: _sum(costs, name) for name in FIGURES}, missing=missing)


def _sum(costs: Sequence[Cost], name: Figure) -> int | None:
    values: list[int | None] = [getattr(cost, name) for cost in costs]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
