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
from bench.analysis.difference import Difference, difference
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
ROUNDS = 12
SECONDS = 2.0


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


def noise(found: Difference) -> float:
    """Give by how much two that are alike may differ, either way: the far end of the interval."""
    return max(abs(math.log(found.low)), abs(math.log(found.high)))


@pytest.mark.slow
def test_dask_workers_here_are_as_fast_as_local_ones(
    workspace: Workspace,
    fresh_server: Callable[..., Server],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three lanes by turns, one of them local twice: `pytest -m slow` on this file has the figures.

    The gap to Dask must be within the 95% interval of the gap between local and itself.
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
    alike = difference(rates[LOCAL], rates[AGAIN])
    other = difference([*rates[LOCAL], *rates[AGAIN]], rates[DASK])
    assert alike is not None
    assert other is not None
    medians = {lane: statistics.median(each) for lane, each in rates.items()}
    ratio = medians[DASK] / statistics.median([*rates[LOCAL], *rates[AGAIN]])
    with capsys.disabled():
        sys.stdout.write(f"\nmedians of {ROUNDS} trials, rotations a second: ")
        sys.stdout.write(", ".join(f"{lane} {median:,.0f}" for lane, median in medians.items()))
        for name, found in (("local again over local", alike), ("dask over local", other)):
            sys.stdout.write(
                f"\n{name}: {found.ratio:.3f} [{found.low:.3f}-{found.high:.3f}], p {found.p:.2f}"
            )
    assert abs(math.log(ratio)) <= noise(alike)
