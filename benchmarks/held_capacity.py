"""The capacity that the `load` scenario finds, held against what a vendor's tool reaches.

The server is confined to a share of a core, so that it is the limit of both. A tool in a closed
loop never lets the server wait; a client that keeps to a schedule does. So where the tool has an
open loop of its own, its capacity is searched for just as ours is.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.analysis.limits import pace_limited_because
from bench.load.search import search
from bench.load.workers import cores
from benchmarks.vendors import CONNECTIONS, SECONDS, Paced, Reached, Tool
from scenarios import offered_load
from scenarios.offered_load import LoadFindings
from scenarios.phases.climb import KEPT_UP, Climb, Climbed, Purpose
from scenarios.phases.workload import Workload

CONFINED_CORES = 0.5
"""Of one core, for a server that is to be the limit: so little that on two cores no load generator
comes near to its own limit."""
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

A server that is held still again and again makes long waits: so the bound here is wide.
"""


class Held(NamedTuple):
    """One round on a confined server: what our climb found, and what the tool reached."""

    closed_rate: float
    """Our closed loop, operations a second."""
    ours: Reached | None
    """At our capacity; None: no rate was carried."""
    limited: str
    """How the generator ended our search; empty where the server did."""
    closed: Reached
    """The tool in its closed loop."""
    opened: Reached | None
    """The tool at the capacity of its own open loop; None: it has none, or no rate was carried."""


def hold(seen: Climbed, tool: Tool) -> Held:
    """Have a tool follow a climb: in its closed loop, then in its open one."""
    found = offered_load.judge([seen])
    closed = tool.closed()
    return Held(
        closed_rate=found.closed_rate,
        ours=_at_capacity(found),
        limited=_limited(found),
        closed=closed,
        opened=None if tool.opened is None else _capacity(tool.opened, closed.rate),
    )


def _at_capacity(found: LoadFindings) -> Reached | None:
    if found.capacity is None:
        return None
    spent_ns = completed = 0
    for step in found.steps:
        if step.rate == found.capacity and step.holds:
            assert step.server_cpu_ns is not None, "the server is ours"
            spent_ns += step.server_cpu_ns
            completed += step.completed
    return Reached(found.capacity, completed * 1e9 / spent_ns)


def _capacity(opened: Callable[[float], Paced], scale: float) -> Reached | None:
    """Search for the rate that the tool finds carried, by the steps and the bound of a climb."""
    seen: dict[float, Reached] = {}

    def attempt(purpose: Purpose, rate: float) -> bool:
        del purpose
        reached, p99_ns = opened(rate)
        seen[rate] = reached
        return reached.rate >= KEPT_UP * rate and p99_ns <= CLIMB.bound_ns

    ladder = [(share * scale, attempt("ladder", share * scale)) for share in CLIMB.shares]
    found = search(ladder, attempt, CLIMB.searches, CLIMB.confirmations)
    return None if found.capacity is None else seen[found.capacity]._replace(rate=found.capacity)


def _limited(found: LoadFindings) -> str:
    ended = [step for step in found.steps if step.rate == found.fails_at]
    reasons = (pace_limited_because([step], cores()) for step in ended)
    return next((reason for reason in reasons if reason), "")


class Beside(NamedTuple):
    """A server's rounds with one tool."""

    title: str
    open_loop: bool
    """Whether the tool has one."""
    rounds: Sequence[Held]


HEADS = (
    "server on half a core",
    "our closed loop over the tool's",
    "capacity by `load`, open loop, over the tool's closed loop",
    "server CPU there: rotations a core under us over those under the tool",
    "capacity by `load` over the tool's own open loop",
    "server CPU there",
)


def table(load_average: float, beside: Sequence[Beside]) -> str:
    """Write medians and ranges over rounds, for docs/method.md."""
    [rounds] = {len(one.rounds) for one in beside}
    lines = [
        f"Medians and ranges over {rounds} rounds, from a load average of {load_average:.1f} on.",
        "",
        f"| {' | '.join(HEADS)} |",
        f"|{'---|' * len(HEADS)}",
        *(f"| {' | '.join(_row(one))} |" for one in beside),
    ]
    for one in beside:
        if ended := [held.limited for held in one.rounds if held.limited]:
            often = f"in {len(ended)} of {rounds} rounds"
            lines += ["", f"{one.title}: {often} the generator ended our search ({ended[0]})."]
    return "\n".join(lines)


def _row(beside: Beside) -> Sequence[str]:
    rounds = beside.rounds
    return [
        beside.title,
        _spread([one.closed_rate / one.closed.rate for one in rounds]),
        *_over(rounds, lambda one: one.closed),
        *(_over(rounds, lambda one: one.opened) if beside.open_loop else ("it has none", "")),
    ]


def _over(rounds: Sequence[Held], theirs: Callable[[Held], Reached | None]) -> tuple[str, str]:
    """Set our capacity, and what a core does there, over what the tool reached."""
    both = [(one.ours, theirs(one)) for one in rounds]
    carried = [(ours, tool) for ours, tool in both if ours and tool]
    if not carried:
        return "no rate was carried", ""
    left = "" if len(carried) == len(rounds) else f", {len(carried)} of {len(rounds)} rounds"
    return (
        _spread([ours.rate / tool.rate for ours, tool in carried]) + left,
        _spread([ours.core / tool.core for ours, tool in carried]) + left,
    )


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
