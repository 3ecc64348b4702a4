"""The capacity that the `load` scenario finds, held against what a vendor's tool reaches.

The server is confined to a share of a core, so that it is the limit of both. A tool in a closed
loop never lets the server wait; a client that keeps to a schedule does, and each time the server
wakes up costs it CPU. So where the tool has an open loop of its own, its capacity is searched for
just as ours is.
"""

from collections.abc import Callable

from bench.analysis.limits import pace_limited_because
from bench.load.search import search
from bench.load.workers import cores
from benchmarks.vendors import CONNECTIONS, SECONDS, Reached, Tool
from scenarios import offered_load
from scenarios.offered_load import LoadFindings
from scenarios.phases.climb import KEPT_UP, Climb, Climbed, Purpose
from scenarios.phases.workload import Workload

CONFINED_CORES = 0.5
"""Of one core, for a server that is to be the limit: so little that on two cores no load generator
comes near to its own."""
CLIMB = Climb(
    workload=Workload(mix={"rotate": 1}),
    connections=CONNECTIONS,
    arrivals="poisson",
    calibration_seconds=1.0,
    shares=(0.6, 0.9),
    rates=(),
    seconds=SECONDS,
    least_operations=1_000,
    bound_ns=100_000_000,
    searches=4,
    confirmations=1,
)
"""The load scenario, rotations alone.

A server that is held still again and again makes long waits: so the bound here is wide. A rate
that is 5% too high for these steps breaks it all the same.
"""


def held(title: str, seen: Climbed, closed: Reached, tool: Tool) -> str:
    """Set what a climb found beside what the tool reached in its closed loop a moment before."""
    found = offered_load.judge([seen])
    text = (
        f"{title}, on {CONFINED_CORES} cores, closed loop: {found.closed_rate:,.0f}/s"
        f" against {closed.rate:,.0f}/s, ratio {found.closed_rate / closed.rate:.2f}\n"
    )
    if found.capacity is None:
        return f"{text}  open loop: no rate was carried"
    core = _core(found)
    text += (
        f"  open loop: {found.capacity:,.0f}/s,"
        f" {found.capacity / closed.rate:.2f} of the tool's closed loop{_limited(found)}\n"
        f"  one core of the server: {core:,.0f}/s; {_beside(core, closed)}"
    )
    if tool.opened is None:
        return text
    carried = _capacity(tool.opened, closed.rate)
    if carried is None:
        return f"{text}\n  the tool's open loop: no rate was carried"
    return (
        f"{text}\n  the tool's open loop: {carried.rate:,.0f}/s,"
        f" ours over it {found.capacity / carried.rate:.2f}; {_beside(core, carried)}"
    )


def _beside(core: float, reached: Reached) -> str:
    return f"{reached.core:,.0f}/s under the tool, ratio {core / reached.core:.2f}"


def _core(found: LoadFindings) -> float:
    """Give operations a second of the server's CPU at the capacity."""
    carried = [step for step in found.steps if step.rate == found.capacity and step.holds]
    spent_ns = sum(step.server_cpu_ns or 0 for step in carried)
    return sum(step.completed for step in carried) * 1e9 / spent_ns


def _capacity(opened: Callable[[float], Reached], scale: float) -> Reached | None:
    """Search for the rate that the tool finds carried, by the steps and the bound of a climb."""
    seen: dict[float, Reached] = {}

    def attempt(purpose: Purpose, rate: float) -> bool:
        del purpose
        reached = seen[rate] = opened(rate)
        assert reached.p99_ns is not None
        return reached.rate >= KEPT_UP * rate and reached.p99_ns <= CLIMB.bound_ns

    ladder = [(share * scale, attempt("ladder", share * scale)) for share in CLIMB.shares]
    found = search(ladder, attempt, CLIMB.searches, CLIMB.confirmations)
    return None if found.capacity is None else seen[found.capacity]._replace(rate=found.capacity)


def _limited(found: LoadFindings) -> str:
    reasons = [
        reason
        for step in found.steps
        if step.rate == found.fails_at and (reason := pace_limited_because([step], cores()))
    ]
    return f"; generator-limited: {reasons[0]}" if reasons else ""
