"""Load generators to hold ours against: those that PostgreSQL and Redis ship, doing a rotation."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import redis

from backends.postgres import ROTATE as UPDATE
from backends.redis import ISSUE, ROTATE, SKEW_MS
from bench import meter
from bench.errors import Missing
from bench.servers.server import Found, Server

CONNECTIONS = 8
SECONDS = 2.0
JOBS = 2
PGBENCH_SESSIONS = 125
"""Of each of the 8 clients: a thousand in all, as in our own lane."""
REDIS_SESSIONS = 300_000
"""Far more than one round rotates, so that nearly each session is met for the first time."""
REDIS_REQUESTS = 40_000
REAPED_SECONDS = 5.0
"""For a server to reap the processes of connections that are gone."""


class Reached(NamedTuple):
    """What a load generator reached."""

    rate: float
    """Operations a second."""
    core: float
    """Operations a second of CPU of the server."""


class Paced(NamedTuple):
    """What a load generator reached of a rate that it was to offer."""

    reached: Reached
    p99_ns: float
    """Of the response, from the intended start."""


class Tool(NamedTuple):
    """A load generator that isn't ours, ready to rotate."""

    closed: Callable[[], Reached]
    """As fast as it is answered."""
    opened: Callable[[float], Paced] | None = None
    """At so many a second, as Poisson arrivals; None: it has no open loop."""


@contextmanager
def metered(server: Server) -> Iterator[meter.Spent]:
    """Meter a server while a tool is at it, the processes of the tool's connections included.

    They are gone a moment after the tool has ended: what one used is known once it is reaped.
    """
    before = _children(server)
    with meter.metered(server.pids, disk=False) as spent:
        yield spent
        psutil.wait_procs(_children(server) - before, timeout=REAPED_SECONDS)


def _children(server: Server) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in server.pids():
        with suppress(psutil.NoSuchProcess):
            found.update(psutil.Process(pid).children())
    return found


def pgbench(found: Found, server: Server, folder: Path) -> Tool:
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

    def once(*more: str) -> Reached:
        subprocess.run([psql, "-q", "-v", "ON_ERROR_STOP=1", "-c", fill, server.url], check=True)
        with metered(server) as spent:
            ran = subprocess.run(
                [
                    program,
                    "--no-vacuum",
                    "--protocol=prepared",
                    f"--client={CONNECTIONS}",
                    f"--jobs={JOBS}",
                    f"--time={SECONDS:.0f}",
                    f"--file={script}",
                    *defines,
                    *more,
                    server.url,
                ],
                check=True,
                capture_output=True,
                text=True,
            )
        processed = r"^number of transactions actually processed: (\d+)"
        [done] = re.findall(processed, ran.stdout, re.MULTILINE)
        [tps] = re.findall(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
        return Reached(float(tps), int(done) * 1e9 / spent.cpu_ns)

    def opened(rate: float) -> Paced:
        with tempfile.TemporaryDirectory(dir=folder) as logs:
            reached = once(f"--rate={rate}", "--log", f"--log-prefix={logs}/transactions")
            # pgbench(1), --rate: latencies, the log's third column, are from the scheduled start.
            waited_us = np.concatenate(
                [np.loadtxt(log, usecols=2, ndmin=1) for log in Path(logs).iterdir()]
            )
        p99_us = np.percentile(waited_us, 99, method="inverted_cdf")
        return Paced(reached, float(p99_us) * 1e3)

    return Tool(once, opened)


def redis_benchmark(server: Server) -> Tool:
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
        with metered(server) as spent:
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
        client.delete(*(f"rt:{{b}}:{number:012}" for number in range(REDIS_SESSIONS)))
        reached = float(ran.stdout.splitlines()[-1].split(",")[1].strip('"'))
        return Reached(reached, REDIS_REQUESTS * 1e9 / spent.cpu_ns)

    return Tool(once)
