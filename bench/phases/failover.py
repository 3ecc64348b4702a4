"""Executes a `Failover`: load on both sides, the primary taken away, and the sides joined again."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.errors import Failed
from bench.load import failover_load as load
from bench.load import history_load as task
from bench.load.failover_load import Times
from bench.load.history_load import Seat
from bench.load.workers import Worker, together, workers
from bench.phases.disturb import latest
from bench.phases.recovery import LONGEST_SECONDS
from bench.phases.stage import Stage, soon_ns
from bench.servers.cluster import Cluster, until
from scenarios.history import read
from scenarios.phases.failover import MAJORITY, WITH_PRIMARY, FailedOver, Failover, Means


def execute(phase: Failover, stage: Stage) -> FailedOver:
    """Load the topology from both sides, take its primary away, and ask what is left."""
    cluster = stage.server
    if not isinstance(cluster, Cluster):
        raise Failed(f"{stage.subject.spec} has no topology, so nothing can fail over")
    sides = _seats(phase, stage.scratch)
    opener = Seat(2 * len(sides[0]), MAJORITY, stage.scratch / "history-opener.jsonl")
    with workers(1) as [inspector], _crew(cluster) as crew:
        for worker in crew:
            stage.open(worker)
        shared = crew[MAJORITY].call(load.open_shared, opener, phase.shared)
        # A replica may be behind by all of this yet: a loss of it would be none of the load's.
        cluster.wait_until_settled()
        start_ns = soon_ns()
        rng = Random(stage.seed)  # noqa: S311 - must repeat from its seed
        strike_ns = start_ns + int(phase.before_seconds * rng.uniform(0.5, 1.0) * 1e9)
        times = Times(start_ns, stage.scratch / "struck", stage.scratch / "stop")
        loads = [
            worker.submit(load.live, phase, seats, shared, times)
            for worker, seats in zip(crew, sides, strict=True)
        ]
        time.sleep(max(strike_ns - time.monotonic_ns(), 0) / 1e9)
        struck = _strike(phase, cluster)
        times.struck.touch()
        _live_through(phase, cluster, struck)
        with ThreadPoolExecutor(1) as asking:
            # Who can't be reached is asked in vain for up to a second: the fault ends meanwhile,
            # and a takeover that ends by then is seen, too.
            asked = asking.submit(cluster.has_new_primary, struck.primary)
            times.stop.touch()
            healed_ns = _heal(cluster, struck)
        together(loads)
        cluster.wait_until_settled()
        settled_ns = time.monotonic_ns()
        stage.open(inspector)
        until(
            lambda: inspector.call(task.takes_writes) or None,
            f"{stage.subject.spec} took no write after the failover",
            LONGEST_SECONDS,
        )
        history = read(seat.history for seat in [opener, *sides[0], *sides[1]])
        found = inspector.submit(task.inspect, latest(history)).result(LONGEST_SECONDS)
    return FailedOver(
        phase=phase,
        means=struck.means,
        why_no_cut=cluster.hosts.uncut,
        history=history,
        struck_ns=struck.at_ns,
        healed_ns=healed_ns,
        took_over=phase.through_failover or asked.result(),
        settled_ns=settled_ns,
        recovered=found.states,
        integrity=cluster.check(),
    )


@dataclass(frozen=True, slots=True)
class _Struck:
    """What was done to whom, and when."""

    primary: str
    means: Means
    at_ns: int


def _seats(phase: Failover, scratch: Path) -> Sequence[Sequence[Seat]]:
    """Seat the clients of each side, and after them the one who shows shared tokens."""
    each = phase.connections + 1
    return [
        [
            Seat(number, side, scratch / f"history-{number}.jsonl")
            for number in range(side * each, (side + 1) * each)
        ]
        for side in (MAJORITY, WITH_PRIMARY)
    ]


@contextlib.contextmanager
def _crew(cluster: Cluster) -> Iterator[Sequence[Worker]]:
    """Start an app instance on each of the two hosts for them."""
    with contextlib.ExitStack() as ends:
        yield [
            ends.enter_context(workers(1, first=number, namespace=host.namespace))[0]
            for number, host in enumerate(cluster.app_hosts)
        ]


def _strike(phase: Failover, cluster: Cluster) -> _Struck:
    name = cluster.primary()
    if phase.strike == "partition" and cluster.hosts.uncut is None:
        return _Struck(name, "partition", cluster.cut_off(name))
    if phase.strike == "partition":
        cluster.members[name].pause()
        return _Struck(name, "pause", time.monotonic_ns())
    cluster.members[name].kill()
    return _Struck(name, "kill", time.monotonic_ns())


def _live_through(phase: Failover, cluster: Cluster, struck: _Struck) -> None:
    """Wait until the fault has lasted as long as it is to."""
    over_ns = struck.at_ns + int(phase.seconds * 1e9)
    if phase.seconds >= cluster.silence_seconds:
        time.sleep(cluster.silence_seconds)
        cluster.promote(struck.primary)
    if phase.through_failover:
        cluster.wait_for_new_primary(struck.primary)
    time.sleep(max(over_ns - time.monotonic_ns(), 0) / 1e9)


def _heal(cluster: Cluster, struck: _Struck) -> int:
    """Undo the fault; gives the instant."""
    if struck.means == "partition":
        healed_ns = cluster.hosts.heal()
    else:
        healed_ns = time.monotonic_ns()
        member = cluster.members[struck.primary]
        if struck.means == "pause":
            member.resume()
        else:
            member.restart()
    cluster.rejoin(struck.primary)
    return healed_ns
