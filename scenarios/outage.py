"""How long a failover keeps a side waiting, told by the rate at which it is served."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from scenarios.history import Event

WINDOW_NS = 500_000_000
"""Within which enough writes have to be acknowledged, and longer than which no call may take."""
ENOUGH = 0.5
"""Of the writes acknowledged in as long before the fault."""


class Outage(NamedTuple):
    """From the fault until the side was served again, or until the heal if it was not."""

    ns: int
    over: bool
    """Whether it was served again before the heal; if not, it lasted longer than that."""


def outage(side: Sequence[Event], struck_ns: int, healed_ns: int, rate: float) -> Outage:
    """Find the first write after which a side, offered `rate` operations a second, was served.

    Enough writes are acknowledged within one window, and no call in vain is under way meanwhile:
    one that failed, was not answered, or took longer than the window, however it ended. So a call
    that the heal lets through counts as one that ends by itself, and the length of the fault
    doesn't decide. The rate alone would take a cluster for well whose other thirds are; calls in
    vain alone would miss a server that answers few of them, slowly.
    """
    writes = sorted(
        event.return_ns
        for event in side
        if event.kind != "verify" and event.status == "ok" and event.return_ns is not None
    )
    before = sum(struck_ns - WINDOW_NS < at <= struck_ns for at in writes)
    # Sessions opened before the load come faster than what is offered in it.
    enough = max(1, ceil(ENOUGH * min(before, rate * WINDOW_NS / 1e9)))
    after = [at for at in writes if struck_ns < at <= healed_ns]
    in_vain = _in_vain(side, healed_ns)
    for first, last in zip(after, after[enough - 1 :], strict=False):
        if last - first <= WINDOW_NS and not any(
            begun <= last and ended >= first for begun, ended in in_vain
        ):
            return Outage(first - struck_ns, over=True)
    return Outage(healed_ns - struck_ns, over=False)


def _in_vain(side: Sequence[Event], healed_ns: int) -> Sequence[tuple[int, int]]:
    """Give begin and end of each call in vain; one that never ended is open until the heal."""
    calls = [(event.status, event.invoke_ns, event.return_ns or healed_ns) for event in side]
    return [
        (begun, ended)
        for status, begun, ended in calls
        if status != "ok" or ended - begun > WINDOW_NS
    ]
