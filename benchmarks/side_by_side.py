"""Each driver against its vendor's own load generator, by turns on one server in one run.

    python -m benchmarks.side_by_side [rounds]

- harness: what the measured loop costs over a bare timing loop, on a store that does nothing;
- psycopg against `pgbench -M prepared`: the same UPDATE, 8 connections;
- redis-py against `redis-benchmark`: the same Lua script by EVALSHA, 8 connections;
- the capacity that the `load` scenario finds against the rate each of these tools reaches, and what
  one core of the server could do by its CPU per operation, under our load and under theirs.

Nothing here passes or fails: it says a ratio, its range over the rounds, and where the time goes.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import redis

import backends
from backends.postgres import ROTATE as UPDATE
from backends.redis import ISSUE, ROTATE, SKEW_MS
from backends.store import Place, Policy
from bench import phases, servers
from bench.analysis.limits import pace_limited_because
from bench.errors import Missing, RefreshbenchError
from bench.load.closed_loop import drive
from bench.load.workers import cores
from bench.phases.stage import Stage
from bench.servers.server import Found, Server
from bench.workspace import Workspace
from benchmarks.null_store import bare_loop, schedule
from scenarios import offered_load
from scenarios.histogram import count
from scenarios.phases.climb import Climb, Climbed
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Workload
from scenarios.scenario import Observation, Phase

CONNECTIONS = 8
SECONDS = 2.0
NULL_CALLS = 200_000
REDIS_SESSIONS = 300_000
"""Far more than one round rotates, so that nearly each session is met for the first time."""
REDIS_REQUESTS = 40_000


class Reached(NamedTuple):
    """What a vendor's tool reached."""

    rate: float
    """Operations a second."""
    core: float
    """Operations a second of CPU of the server."""


class Rates(NamedTuple):
    """Operations a second in each round, ours and the other's, and what limited ours."""

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


def ours(spec: str, server: Server, folder: Path) -> Callable[[Phase], Observation]:
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
CLIMB = Climb(
    workload=Workload(mix={"rotate": 1}),
    connections=CONNECTIONS,
    arrivals="poisson",
    calibration_seconds=0.5,
    shares=(0.6, 0.9),
    rates=(),
    seconds=SECONDS / 2,
    least_operations=1_000,
    bound_ns=20_000_000,
    searches=4,
    confirmations=1,
)
"""The load scenario, rotations alone."""


def closed(once: Callable[[Phase], Observation]) -> Measured:
    """Take the closed loop once."""
    seen = once(ROTATIONS)
    assert isinstance(seen, Measured)
    assert not seen.samples["rotate"].errors, seen.samples["rotate"].errors
    return seen


def capacity(title: str, once: Callable[[Phase], Observation], tool: Reached) -> str:
    """Hold the capacity that a climb finds against what a tool reached a moment before."""
    seen = once(CLIMB)
    assert isinstance(seen, Climbed)
    found = offered_load.judge([seen])
    carried = [step for step in found.steps if step.holds]
    if found.capacity is None or not carried:
        return f"{title}: no rate was carried"
    spent_ns = sum(step.server_cpu_ns or 0 for step in carried)
    core = sum(step.completed for step in carried) * 1e9 / spent_ns
    limited = [
        reason
        for step in found.steps
        if step.rate == found.fails_at and (reason := pace_limited_because([step], cores()))
    ]
    why = f"; generator-limited: {limited[0]}" if limited else ""
    return (
        f"{title}, capacity: {found.capacity:,.0f}/s open loop against {tool.rate:,.0f}/s, ratio"
        f" {found.capacity / tool.rate:.2f}{why}\n"
        f"  one core of the server: {core:,.0f}/s against {tool.core:,.0f}/s under the tool,"
        f" ratio {core / tool.core:.2f}"
    )


def rate(seen: Measured) -> float:
    """Give rotations a second."""
    return count(seen.samples["rotate"].latency_ns) * 1e9 / seen.elapsed_ns


def share(seen: Measured) -> str:
    """Say who was the limit: CPU of client and server, as cores kept busy."""
    assert seen.server_cpu_ns is not None
    done = count(seen.samples["rotate"].latency_ns)
    return (
        f"ours: client {seen.client_cpu_ns / seen.elapsed_ns:.2f} cores"
        f" ({seen.client_cpu_ns / done / 1e3:.0f} us an operation),"
        f" server {seen.server_cpu_ns / seen.elapsed_ns:.2f} cores"
        f" ({seen.server_cpu_ns / done / 1e3:.0f} us an operation)"
    )


def by_turns(
    title: str, rounds: int, once: Callable[[Phase], Observation], other: Callable[[], Reached]
) -> str:
    """Take both lanes by turns, so that a slow minute of the machine slows both."""
    mine, theirs, capacities = [], [], []
    for _ in range(rounds):
        mine.append(closed(once))
        theirs.append(other())
        capacities.append(capacity(title, once, theirs[-1]))
    rates = Rates(title, [rate(s) for s in mine], [one.rate for one in theirs], share(mine[-1]))
    return "\n".join([str(rates), *capacities])


PGBENCH_SESSIONS = 125
"""Of each of the 8 clients: a thousand in all, as in our own lane."""


def server_cpu_ns(server: Server) -> int:
    """Give the server's CPU time so far, with that of children it has outlived.

    A tool's connections are gone when it ends, and PostgreSQL's processes for them as well.
    """
    times = [psutil.Process(pid).cpu_times() for pid in server.pids()]
    return int(sum(t.user + t.system + t.children_user + t.children_system for t in times) * 1e9)


def pgbench(found: Found, server: Server, folder: Path) -> Callable[[], Reached]:
    """Prepare pgbench: each client rotates its own sessions in turn, so that every call wins."""
    program = Path(found.detail).with_name("pgbench")
    if not program.exists():
        raise Missing(f"no pgbench beside {found.detail}; install PostgreSQL's client programs")
    psql = Path(found.detail).with_name("psql")
    script = folder / "rotate.pgbench"
    # Digests are decimal text here, which bytea reads as its bytes: pgbench only computes numbers.
    script.write_text(
        f"""\\set turn :turn + 1
\\set subject 9000000 + :client_id
\\set family :turn % {PGBENCH_SESSIONS}
\\set generation :turn / {PGBENCH_SESSIONS}
\\set digest 1000000000000000000 + :generation
\\set successor_digest :digest + 1
{UPDATE.named};
"""
    )
    fill = f"""
DELETE FROM refresh_session WHERE subject IN
    (SELECT convert_to((9000000 + c)::text, 'UTF8') FROM generate_series(0, {CONNECTIONS - 1}) c);
INSERT INTO refresh_session (subject, family, client, device, issued_at_ms,
    absolute_expires_at_ms, idle_expires_at_ms, generation, digest, predecessor_digest,
    grace_until_ms)
SELECT convert_to((9000000 + c)::text, 'UTF8'), convert_to(f::text, 'UTF8'), 'bench', 'device', 0,
    9e15, 9e15, 0, '1000000000000000000', '', 0
FROM generate_series(0, {CONNECTIONS - 1}) c, generate_series(0, {PGBENCH_SESSIONS - 1}) f;
"""  # noqa: S608 - whole numbers of our own
    values = {
        "turn": -1,
        "device": "device",
        "now_ms": 1,
        "successor_idle_expires_at_ms": 9 * 10**15,
        "grace_until_ms": 0,
        "mismatch_reason": "device",
    }
    defines = [f"--define={name}={value}" for name, value in values.items()]

    def once() -> Reached:
        subprocess.run([psql, "-q", "-v", "ON_ERROR_STOP=1", "-c", fill, server.url], check=True)
        before_ns = server_cpu_ns(server)
        ran = subprocess.run(
            [
                program,
                "--no-vacuum",
                "--protocol=prepared",
                f"--client={CONNECTIONS}",
                "--jobs=2",
                f"--time={SECONDS:.0f}",
                f"--file={script}",
                *defines,
                server.url,
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        spent_ns = server_cpu_ns(server) - before_ns
        processed = r"^number of transactions actually processed: (\d+)"
        [done] = re.findall(processed, ran.stdout, re.MULTILINE)
        [tps] = re.findall(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
        return Reached(float(tps), int(done) * 1e9 / spent_ns)

    return once


def redis_benchmark(server: Server) -> Callable[[], Reached]:
    """Prepare redis-benchmark: each request rotates a random one of many fresh sessions."""
    program = shutil.which("redis-benchmark")
    if program is None:
        raise Missing("no redis-benchmark; apt-get install redis-tools")
    client = redis.Redis.from_url(server.url)
    far_ms = 9 * 10**15
    fields: dict[bytes | bytearray | memoryview[int] | str | int | float, Any] = {
        "generation": 0,
        "client": "bench",
        "device": "device",
        "issued": 0,
        "idle_expires": far_ms,
        "absolute_expires": far_ms,
        "digest": "d" * 32,
    }
    rotate = [0, "d" * 32, "device", 1, "e" * 32, far_ms, 1, 0, 0, SKEW_MS]

    def once() -> Reached:
        client.script_load(ISSUE.source)
        client.script_load(ROTATE.source)
        for start in range(0, REDIS_SESSIONS, 10_000):
            pipe = client.pipeline(transaction=False)
            for number in range(start, start + 10_000):
                pipe.hset(f"rt:{{b}}:{number:012}", mapping=fields)
            pipe.execute()
        before_ns = server_cpu_ns(server)
        ran = subprocess.run(
            [
                program,
                *("-p", server.url.rpartition(":")[2].partition("/")[0]),
                *("-c", str(CONNECTIONS), "-n", str(REDIS_REQUESTS), "-r", str(REDIS_SESSIONS)),
                "--csv",
                *("EVALSHA", ROTATE.sha, "1", "rt:{b}:__rand_int__", *map(str, rotate)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        spent_ns = server_cpu_ns(server) - before_ns
        client.delete(*(f"rt:{{b}}:{number:012}" for number in range(REDIS_SESSIONS)))
        reached = float(ran.stdout.splitlines()[-1].split(",")[1].strip('"'))
        return Reached(reached, REDIS_REQUESTS * 1e9 / spent_ns)

    return once


def found_or_missing(kind: str) -> Found:
    """Find a server of our own to start. Raises Missing."""
    found = servers.find(kind)
    if isinstance(found, Found):
        return found
    raise Missing(f"no {kind}: {found.reason}; {found.mend}")


def main(rounds: int) -> None:
    """Run every lane, one after another."""
    sys.stdout.write(f"{harness(rounds)}\n")
    with Workspace() as workspace, ExitStack() as ends:
        for kind, spec, title in (
            ("postgres", "postgres:async", "psycopg against pgbench"),
            ("redis", "redis:none", "redis-py against redis-benchmark"),
        ):
            found = found_or_missing(kind)
            profile = backends.resolve(spec).profile
            server = servers.start(found, workspace.folder(kind), profile.server)
            ends.callback(server.close)
            folder = workspace.folder("lane")
            once = ours(spec, server, folder)
            other = (
                pgbench(found, server, folder) if kind == "postgres" else redis_benchmark(server)
            )
            sys.stdout.write(f"{by_turns(title, rounds, once, other)}\n")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    except RefreshbenchError as error:
        sys.exit(str(error))
