"""How far what Dask workers find is from what local ones find: here, and on hosts of their own.

Two lanes of local workers and one of Dask's measure one Redis by turns. Rates, and CPU of the
clients, are compared inside each round, where neighbours on the machine are much the same for all.
`pytest -m slow` on this file has the figures.
"""

import itertools
import math
import os
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
TURNS = 6
"""In a round, each so short that what neighbours do is much the same for all lanes."""
ROTATE = Measure(
    name="rotate",
    workload=Workload(mix={"rotate": 1}, sessions=400),
    connections=2,
    seconds=0.3,
    warmup_seconds=0.05,
)


class Found(NamedTuple):
    """What a lane found in a round."""

    rate: float
    """Rotations a second."""
    cpu_us: float
    """Of the clients, a rotation: what else runs on the machine hardly touches it."""


Rounds = Sequence[Mapping[str, Found]]


@contextmanager
def opened(source: Source | None, url: str, seed: int, folder: Path) -> Iterator[Stage]:
    """Give fresh workers of a source; no two stages on one server may open the same families."""
    place = Place(folder, url)
    SUBJECT.prepare(place)
    with Stage(
        subject=SUBJECT,
        place=place,
        policy=Policy(),
        server=None,
        seed=seed,
        scratch=folder,
        source=source,
    ) as stage:
        yield stage


def measured(stage: Stage) -> Measured:
    """Rotate with two clients, a worker process each."""
    seen = phases.execute(ROTATE, stage)
    assert isinstance(seen, Measured)
    assert seen.samples["rotate"].errors == {}
    assert seen.processes == 2
    return seen


def added_up(turns: Sequence[Measured]) -> Found:
    done = sum(count(one.samples["rotate"].latency_ns) for one in turns)
    return Found(
        rate=done * 1e9 / sum(one.elapsed_ns for one in turns),
        cpu_us=sum(one.client_cpu_ns for one in turns) / 1e3 / done,
    )


def by_turns(scheduler: str, url: str, folder: Path) -> Rounds:
    """Open all lanes in each round, and let them take turns in an order of its own."""
    order = random.Random(1)
    seeds = itertools.count()
    rounds = []
    with Cluster(scheduler) as cluster:
        for _ in range(ROUNDS):
            with ExitStack() as open_lanes:
                stages = {
                    lane: open_lanes.enter_context(opened(source, url, next(seeds), folder))
                    for lane, source in {LOCAL: None, AGAIN: None, DASK: cluster}.items()
                }
                turns: dict[str, list[Measured]] = {lane: [] for lane in stages}
                for _ in range(TURNS):
                    for lane in order.sample(list(stages), len(stages)):
                        turns[lane].append(measured(stages[lane]))
            rounds.append({lane: added_up(those) for lane, those in turns.items()})
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
            f"\n  dask over local {told(ratios[figure])}"
            f"\n  local over itself {told(noise)}"
        )
    return ratios


def told(ratio: Estimate) -> str:
    most = max(1 - ratio.low, ratio.high - 1)
    return f"{ratio.value:.3f} [{ratio.low:.3f}-{ratio.high:.3f}], {most:.1%} off at most"


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
