"""Executes a `Stale`: a logout at the primary, watched through a replica, again and again."""

from bench.errors import Failed
from bench.load import failover_load as load
from bench.load import stale_load as task
from bench.load.failover_load import Times
from bench.load.history_load import Seat
from bench.load.instances import open_sessions
from bench.load.workers import workers
from bench.phases.stage import Stage, soon_ns
from bench.servers.cluster import Cluster, until
from scenarios.phases.failover import MAJORITY
from scenarios.phases.stale import Stale, Watched, Watching

WATCH_SECONDS = 5.0
"""The longest that one revocation is waited for."""


def execute(phase: Stale, stage: Stage) -> Watching:
    """Keep the primary at work meanwhile, as replicas lag behind work."""
    cluster = stage.server
    if not isinstance(cluster, Cluster) or cluster.replica_url is None:
        raise Failed(f"{stage.subject.spec} has no replica that answers reads")
    watched, unacknowledged, never = [], 0, 0
    times = Times(soon_ns(), stage.scratch / "struck", stage.scratch / "stop")
    seats = [
        Seat(number, MAJORITY, stage.scratch / f"history-{number}.jsonl")
        for number in range(phase.connections + 1)
    ]
    with workers(1) as [busy], workers(1, first=1) as [writer], workers(1) as [reader]:
        stage.open(busy)
        stage.open(writer)
        stage.open(reader, cluster.replica_url)
        entries = writer.call(open_sessions, phase.rounds)
        until(lambda: reader.call(task.sees, entries[-1]) or None, "no replica has the sessions")
        background = busy.submit(load.live, phase, seats, [], times)
        for held in entries:
            watching = reader.submit(task.watch, held, WATCH_SECONDS)
            acknowledged_ns = writer.call(task.revoke, held)
            seen = watching.result(2 * WATCH_SECONDS)
            if acknowledged_ns is None:
                unacknowledged += 1
            elif seen.refused_at_ns is None:
                never += 1
            else:
                since_ns = max(seen.accepted_at_ns, acknowledged_ns)
                watched.append(
                    Watched(
                        accepted_ns=since_ns - acknowledged_ns,
                        gap_ns=max(seen.refused_at_ns - since_ns, 0),
                    )
                )
        times.stop.touch()
        background.result(WATCH_SECONDS)
    return Watching(phase=phase, watched=watched, unacknowledged=unacknowledged, never=never)
