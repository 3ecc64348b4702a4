"""Each driver against its vendor's own load generator, by turns on one server in one run.

    python -m benchmarks.side_by_side [rounds] [--write]

- harness: what the measured loop costs over a bare timing loop, on a store that does nothing;
- psycopg against `pgbench -M prepared`: the same UPDATE, 8 connections;
- redis-py against `redis-benchmark`: the same Lua script by EVALSHA, 8 connections;
- MongoDB against bare pymongo: the same `find_one_and_update` by threads that do nothing else;
- drivers as most code uses them (redis-py's own client, psycopg's cursors, SQLAlchemy) against our
  lane on the same server;
- with the server confined to a share of a core, and so the limit of all: our closed loop and the
  capacity that the `load` scenario finds against the rate each of these tools reaches, and against
  the capacity of the open loop that pgbench has; and what one core of the server could do by its
  CPU per operation, under our load and under theirs.

Nothing here passes or fails: it says a ratio, its range over the rounds, and where the time goes.
What was found on the confined server is a table, the last that is printed; with `--write` it goes
into docs/method.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import backends
from backends.store import Place, Policy
from bench import phases, servers
from bench.errors import Missing, RefreshbenchError
from bench.load.closed_loop import drive
from bench.phases.stage import Stage
from bench.servers.server import Found, Server
from bench.workspace import Workspace
from benchmarks.bare_pymongo import bare_pymongo
from benchmarks.confined import confined
from benchmarks.held_capacity import CLIMB, CONFINED_CORES, Beside, hold, table
from benchmarks.null_store import bare_loop, schedule
from benchmarks.published import publish
from benchmarks.vendors import CONNECTIONS, SECONDS, Tool, pgbench, redis_benchmark
from scenarios.histogram import count
from scenarios.phases.climb import Climbed
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Workload
from scenarios.scenario import Observation, Phase

NULL_CALLS = 200_000

Lane = Callable[[Phase], Observation]
"""Executes a phase on fresh workers."""


class Rates(NamedTuple):
    """Operations a second in each round, one lane's and the other's, and what limited the first."""

    title: str
    ours: Sequence[float]
    other: Sequence[float]
    note: str

    def __str__(self) -> str:
        ratios = sorted(a / b for a, b in zip(self.ours, self.other, strict=True))
        return (
            f"{self.title}: {statistics.median(self.ours):,.0f}/s"
            f" against {statistics.median(self.other):,.0f}/s,"
            f" ratio {statistics.median(ratios):.2f}"
            f" (range {ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} rounds)\n  {self.note}"
        )


def harness(rounds: int) -> str:
    """Time the measured loop against a bare one, by turns."""
    prepared = schedule(NULL_CALLS)
    costs = []
    for _ in range(rounds):
        bare_ns = bare_loop(prepared)
        driven = drive(prepared, sys.maxsize)
        costs.append((driven.end_ns - driven.begin_ns - bare_ns) / NULL_CALLS)
    return (
        f"harness over a bare timing loop: {statistics.median(costs):.0f} ns an operation"
        f" (range {min(costs):.0f} to {max(costs):.0f}, {rounds} rounds of {NULL_CALLS:,})"
    )


def ours(spec: str, server: Server, folder: Path) -> Lane:
    """Prepare our own lane: a phase, executed on fresh workers."""
    subject = backends.resolve(spec)
    place = Place(folder, server.url)
    subject.prepare(place)

    def once(phase: Phase) -> Observation:
        # Fresh workers each round, as each trial of a run has.
        with (
            tempfile.TemporaryDirectory() as scratch,
            Stage(
                subject=subject,
                place=place,
                policy=Policy(),
                server=server,
                seed=len(list(folder.iterdir())),
                scratch=Path(scratch),
            ) as stage,
        ):
            (folder / scratch.replace("/", "-")).touch()
            return phases.execute(phase, stage)

    return once


ROTATIONS = Measure(
    name="rotate",
    workload=Workload(mix={"rotate": 1}),
    connections=CONNECTIONS,
    seconds=SECONDS,
    warmup_seconds=0.3,
)
"""The `rotate` cell of the latency scenario."""


def closed(once: Lane) -> Measured:
    """Take the closed loop once."""
    seen = once(ROTATIONS)
    assert isinstance(seen, Measured)
    assert not seen.samples["rotate"].errors, seen.samples["rotate"].errors
    return seen


def climbed(once: Lane) -> Climbed:
    """Search for the capacity once."""
    seen = once(CLIMB)
    assert isinstance(seen, Climbed)
    return seen


def rate(seen: Measured) -> float:
    """Give rotations a second."""
    return count(seen.samples["rotate"].latency_ns) * 1e9 / seen.elapsed_ns


def share(whose: str, seen: Measured) -> str:
    """Say who was the limit: CPU of client and server, as cores kept busy."""
    assert seen.server_cpu_ns is not None
    done = count(seen.samples["rotate"].latency_ns)
    return (
        f"{whose}: client {seen.client_cpu_ns / seen.elapsed_ns:.2f} cores"
        f" ({seen.client_cpu_ns / done / 1e3:.0f} us an operation),"
        f" server {seen.server_cpu_ns / seen.elapsed_ns:.2f} cores"
        f" ({seen.server_cpu_ns / done / 1e3:.0f} us an operation)"
    )


def by_turns(title: str, rounds: int, once: Lane, tool: Tool) -> Rates:
    """Take both lanes by turns, so that a slow minute of the machine slows both."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(closed(once))
        theirs.append(tool.closed())
    return Rates(
        title, [rate(s) for s in mine], [one.rate for one in theirs], share("ours", mine[-1])
    )


def on_confined(title: str, rounds: int, server: Server, once: Lane, tool: Tool) -> Beside:
    """Do the same with the server as the limit of both, in closed and open loop. Raises Missing."""
    with confined(server.pids(), CONFINED_CORES):
        held = [hold(climbed(once), tool) for _ in range(rounds)]
    return Beside(title, tool.opened is not None, held)


def found_or_missing(kind: str) -> Found:
    """Find a server of our own to start. Raises Missing."""
    found = servers.find(kind)
    if isinstance(found, Found):
        return found
    raise Missing(f"no {kind}: {found.reason}; {found.mend}")


def shipped(title: str, rounds: int, lane: Lane, fast: Lane) -> str:
    """Take a driver as most code uses it and our lane on the same server, by turns."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(closed(lane))
        theirs.append(closed(fast))
    rates = Rates(
        title, [rate(s) for s in mine], [rate(s) for s in theirs], share("as shipped", mine[-1])
    )
    return f"{rates}\n  {share('ours', theirs[-1])}"


class Compared(NamedTuple):
    """A server, our lane on it, and what it is set beside."""

    kind: str
    spec: str
    title: str
    tool: str
    """The server and the tool, in the table of docs/method.md."""
    shipped: Sequence[str]
    """The lanes of the same server through drivers as most code uses them."""


COMPARED = (
    Compared(
        "postgres",
        "postgres:async",
        "psycopg against pgbench",
        "PostgreSQL, `pgbench`",
        ("postgres-psycopg:async", "postgres-sqlalchemy:async"),
    ),
    Compared(
        "redis",
        "redis:none",
        "redis-py against redis-benchmark",
        "Redis, `redis-benchmark`",
        ("redis-py:none",),
    ),
    Compared("mongo", "mongo:w1", "mongo against bare pymongo", "MongoDB, bare pymongo", ()),
)
"""pymongo's own retries are no lane here: a server that is alone takes no retried writes."""


def main(rounds: int) -> Sequence[Beside]:
    """Run every lane, one after another; give what could be had of confined servers."""
    beside: list[Beside] = []
    say(harness(rounds))
    with Workspace() as workspace, ExitStack() as ends:
        for kind, spec, title, tool_title, others in COMPARED:
            found = found_or_missing(kind)
            profile = backends.resolve(spec).profile
            server = servers.start(found, workspace.folder(kind), profile.server)
            ends.callback(server.close)
            folder = workspace.folder("lane")
            once = ours(spec, server, folder)
            tool = {
                "postgres": lambda: pgbench(found, server, folder),  # noqa: B023 - called at once
                "redis": lambda: redis_benchmark(server),  # noqa: B023
                "mongo": lambda: bare_pymongo(server),  # noqa: B023
            }[kind]()
            say(str(by_turns(title, rounds, once, tool)))
            for lane in others:
                say(shipped(f"{lane} against {spec}", rounds, ours(lane, server, folder), once))
            try:
                beside.append(on_confined(tool_title, rounds, server, once, tool))
            except Missing as error:
                say(f"{tool_title}: not measured on half a core: {error}")
            server.close()
    return beside


def conclude(load_average: float, beside: Sequence[Beside], *, write: bool) -> None:
    """Print the table of the confined servers, and put it into docs/method.md if it is whole."""
    if beside:
        say(table(load_average, beside))
    if write and len(beside) < len(COMPARED):
        raise Missing("docs/method.md is as it was: not every server was measured on half a core")
    if write:
        publish("half a core", table(load_average, beside))


def say(found: str) -> None:
    """Print what is known so far: a run takes minutes."""
    sys.stdout.write(f"{found}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asking = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side")
    asking.add_argument("rounds", nargs="?", type=int, choices=range(1, 101), default=5)
    asking.add_argument("--write", action="store_true", help="put the table into docs/method.md")
    asked = asking.parse_args()
    load_before = os.getloadavg()[0]
    try:
        found = main(asked.rounds)
        conclude(load_before, found, write=asked.write)
    except RefreshbenchError as error:
        sys.exit(str(error))
