"""Executes a `Soak`: paced load from every worker, and the store's counters read beside it."""

import time

from bench import counters, meter
from bench.load import soak as task
from bench.load.soak import Soaking
from bench.load.workers import together
from bench.phases.cost import cost
from bench.phases.stage import Stage
from scenarios.phases.soak import Soak, Soaked, Tick


def execute(phase: Soak, stage: Stage) -> Soaked:
    """Let every client take its turns, and look at the store once an interval."""
    crew = stage.crew(stage.width)
    counts = together([one.submit(task.warm_up) for one in crew])
    with counters.reader(stage) as read:
        # The first look connects; that is none of the load's cost.
        read()
        with meter.metered(stage.server_pids) as spent:
            start_ns = stage.soon_ns()
            soaking = [
                one.submit(task.soak, phase, start_ns, sum(counts[:number]), sum(counts))
                for number, one in enumerate(crew)
            ]
            ticks = []
            for number in range(phase.intervals + 1):
                tick_ns = start_ns + int(number * phase.interval_seconds * 1e9)
                time.sleep(max(tick_ns - time.monotonic_ns(), 0) / 1e9)
                at_seconds = (time.monotonic_ns() - start_ns) / 1e9
                ticks.append(Tick(at_seconds=at_seconds, counters=dict(read())))
            parts: list[Soaking] = list(together(soaking))
    return Soaked(
        phase=phase,
        intervals=task.add_up([part.intervals for part in parts]),
        ticks=ticks,
        processes=len(parts),
        client_cpu_ns=sum(part.outlay.cpu_ns for part in parts),
        client_rss_bytes=sum(part.outlay.rss_bytes for part in parts),
        server_cpu_ns=spent.cpu_ns if spent.seen else None,
        server_rss_bytes=spent.memory_bytes if spent.seen else None,
        cost=cost(stage, spent, [part.outlay.cost for part in parts]),
    )
