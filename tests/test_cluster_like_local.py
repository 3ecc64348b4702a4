"""Dask workers on this host find what local workers find, to within what noise alone does."""

import math
import random
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import backends
from backends.store import Place, Policy
from bench import phases
from bench.analysis.estimate import estimate
from bench.load.cluster import Cluster
from bench.load.workers import Source
from bench.phases.stage import Stage
from bench.servers.server import Server
from bench.workspace import Workspace
from scenarios.histogram import count
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Workload
from tests.network_hosts import dask

LOCAL, AGAIN, DASK = "local", "local again", "dask"
ROUNDS = 16
SECONDS = 1.5


def rate(source: Source | None, server: Server, seed: int, folder: Path) -> float:
    """Give the rotations a second of two clients, a worker process each, on fresh workers."""
    subject = backends.resolve("redis:none")
    place = Place(folder, server.url)
    subject.prepare(place)
    phase = Measure(
        name="rotate",
        workload=Workload(mix={"rotate": 1}, sessions=400),
        connections=2,
        seconds=SECONDS,
        warmup_seconds=0.3,
    )
    with Stage(
        subject=subject,
        place=place,
        policy=Policy(),
        server=None,
        # No two stages on one server may open the same families.
        seed=seed,
        scratch=folder,
        source=source,
    ) as stage:
        seen = phases.execute(phase, stage)
    assert isinstance(seen, Measured)
    assert seen.samples["rotate"].errors == {}
    assert seen.processes == 2
    return count(seen.samples["rotate"].latency_ns) * 1e9 / seen.elapsed_ns


@pytest.mark.slow
def test_dask_workers_here_are_as_fast_as_local_ones(
    workspace: Workspace,
    fresh_server: Callable[..., Server],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three lanes by turns, one of them local twice: `pytest -m slow` on this file has the figures.

    The ratio to Dask must be within the 95% interval of the ratio of local to itself.
    """
    server = fresh_server("redis", backends.resolve("redis:none").profile.server)
    rates: Mapping[str, list[float]] = {LOCAL: [], AGAIN: [], DASK: []}
    order = random.Random(1)
    with dask(workspace, "127.0.0.1", [(), ()]) as scheduler, Cluster(scheduler) as cluster:
        for number in range(ROUNDS):
            for lane in order.sample(list(rates), len(rates)):
                source = cluster if lane == DASK else None
                seed = number * len(rates) + list(rates).index(lane)
                rates[lane].append(rate(source, server, seed, tmp_path))
    rounds = list(zip(rates[LOCAL], rates[AGAIN], rates[DASK], strict=True))
    # Within a round, so that a slow minute of the machine is in both.
    alike = estimate([again / local for local, again, _ in rounds])
    other = estimate([far / math.sqrt(local * again) for local, again, far in rounds])
    with capsys.disabled():
        medians = {lane: statistics.median(each) for lane, each in rates.items()}
        told = ", ".join(f"{lane} {median:,.0f}" for lane, median in medians.items())
        sys.stdout.write(f"\nmedians of {ROUNDS} trials, rotations a second: {told}")
        for name, found in (("local again over local", alike), ("dask over local", other)):
            told = f"{found.value:.3f} [{found.low:.3f}-{found.high:.3f}]"
            sys.stdout.write(f"\n{name}, median over rounds: {told}")
    within = max(abs(math.log(alike.low)), abs(math.log(alike.high)))
    assert abs(math.log(other.value)) <= within
