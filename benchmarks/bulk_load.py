"""Each store's bulk load beside what its vendor's tool does with rows made beforehand, by turns.

    python -m benchmarks.bulk_load [rounds]

- making sessions: what all loads pay, before any store sees one;
- PostgreSQL against `psql` copying from a binary file, one process a core;
- Redis against `redis-cli --pipe` with the same scripts' commands, one process a core;
- MongoDB against bare `insert_many` of documents made beforehand, one process a core.

Nothing here passes or fails: it says a ratio, its range over the rounds, and where the time goes.
"""

import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import redis
from pymongo import MongoClient, WriteConcern

import backends
from backends.mongo import DATABASE
from backends.mongo_documents import to_document
from backends.redis import ISSUE, issuing
from backends.redis_connections import packed
from backends.sql import ISSUE as INSERT
from backends.store import Place, Policy
from bench import phases, servers
from bench.errors import Missing, RefreshbenchError
from bench.load.population import Population
from bench.load.workers import cores
from bench.phases.stage import Stage
from bench.servers.server import Found, Server
from bench.workspace import Workspace
from benchmarks.side_by_side import found_or_missing
from scenarios.phases.fill import Fill, Filled

SESSIONS = 200_000
BATCH = 5_000
ISSUED_AT_MS = 1_800_000_000_000
COLUMNS = INSERT.parameters
Other = Callable[[], float]
"""Loads the same sessions once, into an empty store; gives the seconds it took."""


def making() -> str:
    """Time making sessions alone."""
    begin = time.perf_counter()
    for _ in Population(1, ISSUED_AT_MS).sessions(0, SESSIONS):
        pass
    each = (time.perf_counter() - begin) / SESSIONS
    return f"making sessions: {1 / each:,.0f}/s in one process, {each * 1e6:.1f} us each"


def ours(spec: str, server: Server, folder: Path, seed: int) -> Filled:
    """Load by the scenario's own phase, on fresh workers."""
    subject = backends.resolve(spec)
    place = Place(folder, server.url)
    subject.prepare(place)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Stage(
            subject=subject,
            place=place,
            policy=Policy(),
            server=server,
            seed=seed,
            scratch=Path(scratch),
        ) as stage,
    ):
        seen = phases.execute(Fill(sessions=SESSIONS, connections=8, most_seconds=600), stage)
    assert isinstance(seen, Filled)
    assert seen.added == SESSIONS, seen.stopped
    return seen


def ranges() -> Iterator[range]:
    """Cut the indices into as many ranges as there are cores."""
    share = SESSIONS // cores()
    for number in range(cores()):
        yield range(number * share, (number + 1) * share)


def together(commands: Sequence[Sequence[str]], inputs: Sequence[Path]) -> float:
    """Run one process a core, each fed from its file; give the seconds until all are done."""
    begin = time.perf_counter()
    with ExitStack() as ends:
        files = [ends.enter_context(path.open("rb")) for path in inputs]
        running = [
            subprocess.Popen(command, stdin=file, stdout=subprocess.DEVNULL)
            for command, file in zip(commands, files, strict=True)
        ]
        assert all(process.wait() == 0 for process in running), commands[0]
    return time.perf_counter() - begin


def psql(found: Found, server: Server, folder: Path) -> Other:
    """Prepare binary files by loading and copying out; the table is emptied before each turn."""
    program = Path(found.detail).with_name("psql")
    if not program.exists():
        raise Missing(f"no psql beside {found.detail}; install PostgreSQL's client programs")
    files = [folder / f"copy-{number}" for number in range(cores())]
    columns = ", ".join(COLUMNS)
    with psycopg.connect(server.url, autocommit=True) as connection:
        for number, path in enumerate(files):
            rows = (
                f"COPY (SELECT {columns} FROM (SELECT *, row_number() OVER () AS n"  # noqa: S608 - names and a number of our own
                f" FROM refresh_session) AS r WHERE n % {cores()} = {number})"
                " TO STDOUT (FORMAT BINARY)"
            )
            with path.open("wb") as file, connection.cursor().copy(rows.encode()) as out:
                file.writelines(bytes(block) for block in out)
    command = [str(program), "-q", "-v", "ON_ERROR_STOP=1", server.url, "-c"]
    statement = f"\\copy refresh_session ({columns}) FROM STDIN (FORMAT BINARY)"

    def once() -> float:
        empty_postgres(server)
        return together([[*command, statement]] * cores(), files)

    return once


def redis_cli(server: Server, folder: Path) -> Other:
    """Prepare files of commands; redis-cli sends them as they are."""
    program = shutil.which("redis-cli")
    if program is None:
        raise Missing("no redis-cli; apt-get install redis-tools")
    files = []
    for number, indices in enumerate(ranges()):
        files.append(folder / f"pipe-{number}")
        sessions = list(Population(1, ISSUED_AT_MS).sessions(indices.start, indices.stop))
        with files[-1].open("wb") as file:
            file.writelines(packed(one) for one in issuing(sessions))
    port = server.url.rpartition(":")[2].partition("/")[0]

    def once() -> float:
        with redis.Redis.from_url(server.url) as client:
            client.flushdb()
            client.script_load(ISSUE.source)
        return together([[program, "-p", port, "--pipe"]] * cores(), files)

    return once


def insert_many(url: str, indices: range, start_at: float) -> float:
    """Insert documents made beforehand, from `start_at` on; give when it was done."""
    sessions = Population(1, ISSUED_AT_MS).sessions(indices.start, indices.stop)
    documents = [to_document(one) for one in sessions]
    with MongoClient[dict[str, Any]](url) as client:
        target = client[DATABASE].get_collection(
            "sessions", write_concern=WriteConcern(w=1, j=False)
        )
        client.admin.command("ping")
        time.sleep(max(start_at - time.monotonic(), 0))
        for start in range(0, len(documents), BATCH):
            target.insert_many(documents[start : start + BATCH], ordered=False)
    return time.monotonic()


def pymongo(server: Server) -> Other:
    """Prepare the bare loop: as many processes as ours, and nothing but the driver in them."""

    def once() -> float:
        empty_mongo(server)
        start_at = time.monotonic() + 10
        context = multiprocessing.get_context("forkserver")
        with ProcessPoolExecutor(cores(), mp_context=context) as pool:
            done = [pool.submit(insert_many, server.url, part, start_at) for part in ranges()]
            return max(one.result() for one in done) - start_at

    return once


def empty_postgres(server: Server) -> None:
    """Begin with an empty table, and nothing left to write back."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("TRUNCATE refresh_session")
        connection.execute("CHECKPOINT")


def empty_mongo(server: Server) -> None:
    """Begin with no document, the indexes kept."""
    with MongoClient[dict[str, Any]](server.url) as client:
        client[DATABASE]["sessions"].delete_many({})
        client.admin.command("fsync")


def empty_redis(server: Server) -> None:
    """Begin with no key."""
    with redis.Redis.from_url(server.url) as client:
        client.flushdb()


def main(rounds: int) -> None:
    """Take both lanes of each store by turns."""
    sys.stdout.write(f"{making()}\n")
    lanes = (
        ("postgres", "postgres:async", "psql \\copy", empty_postgres),
        ("redis", "redis:none", "redis-cli --pipe", empty_redis),
        ("mongo", "mongo:w1", "bare insert_many", empty_mongo),
    )
    with Workspace() as workspace, ExitStack() as ends:
        for kind, spec, name, empty in lanes:
            found = found_or_missing(kind)
            profile = backends.resolve(spec).profile
            server = servers.start(found, workspace.folder(kind), profile.server)
            ends.callback(server.close)
            folder = workspace.folder("lane")
            seen = [ours(spec, server, folder, 0)]
            other = {
                "postgres": lambda: psql(found, server, folder),  # noqa: B023 - called at once
                "redis": lambda: redis_cli(server, folder),  # noqa: B023
                "mongo": lambda: pymongo(server),  # noqa: B023
            }[kind]()
            seen.clear()
            theirs = []
            for number in range(1, rounds + 1):
                empty(server)
                seen.append(ours(spec, server, folder, number))
                theirs.append(SESSIONS / other())
            sys.stdout.write(f"{said(spec, name, seen, theirs)}\n")
            sys.stdout.flush()
            server.close()


def said(spec: str, name: str, seen: Sequence[Filled], theirs: Sequence[float]) -> str:
    """Say both rates, their ratio, and what ours spent where."""
    rates = [one.added * 1e9 / one.elapsed_ns for one in seen]
    ratios = sorted(a / b for a, b in zip(rates, theirs, strict=True))
    client = statistics.median(one.client_cpu_ns / one.added / 1e3 for one in seen)
    server = statistics.median((one.server_cpu_ns or 0) / one.added / 1e3 for one in seen)
    return (
        f"{spec}: {statistics.median(rates):,.0f} sessions/s against {name}"
        f" {statistics.median(theirs):,.0f}/s, ratio {statistics.median(ratios):.2f}"
        f" (range {ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} rounds)\n"
        f"  ours: CPU a session {client:.1f} us in the clients, {server:.1f} us in the server"
    )


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    except RefreshbenchError as error:
        sys.exit(str(error))
