"""Dask workers on this host find what local workers find, to within what noise alone does."""

import math
import random
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

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
DASKS_CPU = 1.25
"""At most, a rotation, over that of local clients."""


class Found(NamedTuple):
    """What one trial found."""

    rate: float
    """Rotations a second."""
    cpu_us: float
    """Of the clients, a rotation: what else runs on the machine hardly touches it."""


def measured(source: Source | None, server: Server, seed: int, folder: Path) -> Found:
    """Rotate with two clients, a worker process each, on fresh workers."""
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
    done = count(seen.samples["rotate"].latency_ns)
    return Found(done * 1e9 / seen.elapsed_ns, seen.client_cpu_ns / 1e3 / done)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_dask_workers_here_are_as_fast_as_local_ones(
    workspace: Workspace,
    fresh_server: Callable[..., Server],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three lanes by turns, one of them local twice: `pytest -m slow` on this file has the figures.

    Rates, and CPU of the clients, as ratios round by round. The 95% interval of Dask's rate over
    the local one must meet that of local over itself. Its loop runs in the process whose CPU is
    measured, so of that only a bound is asked.
    """
    server = fresh_server("redis", backends.resolve("redis:none").profile.server)
    found: Mapping[str, list[Found]] = {LOCAL: [], AGAIN: [], DASK: []}
    order = random.Random(1)
    with dask(workspace, "127.0.0.1", [(), ()]) as scheduler, Cluster(scheduler) as cluster:
        for number in range(ROUNDS):
            for lane in order.sample(list(found), len(found)):
                source = cluster if lane == DASK else None
                seed = number * len(found) + list(found).index(lane)
                found[lane].append(measured(source, server, seed, tmp_path))
    rounds = list(zip(found[LOCAL], found[AGAIN], found[DASK], strict=True))
    ratios = {}
    for figure in Found._fields:
        each = [[getattr(one, figure) for one in three] for three in rounds]
        alike = estimate([again / local for local, again, _ in each])
        other = estimate([far / math.sqrt(local * again) for local, again, far in each])
        with capsys.disabled():
            sys.stdout.write(
                f"\n{figure}: local {statistics.median(one for one, _, _ in each):,.0f}"
            )
            for name, ratio in (("local again", alike), ("dask", other)):
                told = f"{ratio.value:.3f} [{ratio.low:.3f}-{ratio.high:.3f}]"
                sys.stdout.write(f"; {name} over local {told}")
        ratios[figure] = alike, other
    alike, other = ratios["rate"]
    assert other.low <= alike.high
    assert alike.low <= other.high
    assert ratios["cpu_us"][1].value < DASKS_CPU
