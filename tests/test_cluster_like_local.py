"""Dask workers find what local workers find: on this host, and on hosts of their own.

Two lanes of local workers and one of Dask's measure one Redis by turns. Rates, and CPU of the
clients, are compared inside each round, where neighbours on the machine are much the same for all.
`pytest -m slow` on this file has the figures.
"""

import math
import os
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import backends
from backends.store import Place, Policy
from bench import phases
from bench.analysis.estimate import Estimate, estimate
from bench.load.cluster import Cluster
from bench.load.workers import Source
from bench.phases.stage import Stage
from bench.servers.hosts import NamespaceHosts
from bench.servers.server import Server
from bench.workspace import Workspace
from scenarios.histogram import count
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Workload
from tests.network_hosts import address, dask, listening

SUBJECT = backends.resolve("redis:none")
LOCAL, AGAIN, DASK = "local", "local again", "dask"
ROUNDS = 16
SECONDS = 1.5


class Found(NamedTuple):
    """What one cell found."""

    rate: float
    """Rotations a second."""
    cpu_us: float
    """Of the clients, a rotation: what else runs on the machine hardly touches it."""


Rounds = Sequence[Mapping[str, Found]]


def measured(source: Source | None, url: str, seed: int, folder: Path) -> Found:
    """Rotate with two clients, a worker process each, on fresh workers."""
    place = Place(folder, url)
    SUBJECT.prepare(place)
    phase = Measure(
        name="rotate",
        workload=Workload(mix={"rotate": 1}, sessions=400),
        connections=2,
        seconds=SECONDS,
        warmup_seconds=0.3,
    )
    with Stage(
        subject=SUBJECT,
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


def by_turns(scheduler: str, url: str, folder: Path) -> Rounds:
    """Measure all lanes in each round, in an order of its own."""
    order = random.Random(1)
    rounds = []
    with Cluster(scheduler) as cluster:
        sources = {LOCAL: None, AGAIN: None, DASK: cluster}
        for first_seed in range(0, ROUNDS * len(sources), len(sources)):
            lanes = order.sample(list(sources), len(sources))
            rounds.append(
                {
                    lane: measured(sources[lane], url, seed, folder)
                    for seed, lane in enumerate(lanes, first_seed)
                }
            )
    return rounds


def dask_over_local(rounds: Rounds) -> Mapping[str, Estimate]:
    """Give each figure's ratio, and print it beside that of local workers over themselves.

    One ratio a round, over both local lanes of it, so the interval is of the paired difference.
    """
    ratios = {}
    for figure in Found._fields:
        each = [{lane: getattr(found, figure) for lane, found in one.items()} for one in rounds]
        ratios[figure] = estimate([one[DASK] / math.sqrt(one[LOCAL] * one[AGAIN]) for one in each])
        noise = estimate([one[AGAIN] / one[LOCAL] for one in each])
        local = statistics.median(one[LOCAL] for one in each)
        sys.stdout.write(
            f"\n{figure}: local {local:,.0f}"
            f"; dask over local {told(ratios[figure])}; local over itself {told(noise)}"
        )
    return ratios


def told(ratio: Estimate) -> str:
    return f"{ratio.value:.3f} [{ratio.low:.3f}-{ratio.high:.3f}]"


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_dask_workers_here_are_as_fast_as_local_ones(
    workspace: Workspace,
    fresh_server: Callable[..., Server],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To a tenth. Dask's loop runs in the process whose CPU is measured: a quarter more at most."""
    server = fresh_server("redis", SUBJECT.profile.server)
    with dask(workspace, "127.0.0.1", [(), ()]) as scheduler:
        rounds = by_turns(scheduler, server.url, tmp_path)
    with capsys.disabled():
        ratio = dask_over_local(rounds)
    assert 0.9 < ratio["rate"].low <= ratio["rate"].high < 1 / 0.9
    assert ratio["cpu_us"].high < 1.25


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_workers_on_other_hosts_are_as_fast_as_local_ones(
    workspace: Workspace,
    fresh_server: Callable[..., Server],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To a fifth: a bridge is between them and the store, and Dask tells them what to do."""
    with NamespaceHosts(2) as hosts:
        here = address(hosts)
        server = fresh_server("redis", listening(hosts, SUBJECT))
        with dask(workspace, here, [host.prefix for host in hosts.all]) as scheduler:
            url = server.url.replace("127.0.0.1", here)
            rounds = by_turns(scheduler, url, tmp_path)
    with capsys.disabled():
        ratio = dask_over_local(rounds)
    assert 0.8 < ratio["rate"].low <= ratio["rate"].high < 1 / 0.8
