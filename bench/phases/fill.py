"""Executes a `Fill`: loads sessions from every worker, and looks at what they take up."""

from bench import counters, meter
from bench.load import fill as task
from bench.load.fill import Loaded
from bench.load.worker import now_ms
from bench.load.workers import together
from bench.phases.stage import Stage
from scenarios.phases.fill import Fill, Filled


def execute(phase: Fill, stage: Stage) -> Filled:
    """Share the new sessions out among the workers, in ranges, and let them load."""
    crew = stage.crew(stage.width)
    share = -(-max(phase.sessions - stage.filled, 0) // len(crew))
    ends = [min(stage.filled + number * share, phase.sessions) for number in range(len(crew) + 1)]
    clients = -(-phase.connections // len(crew))
    issued_at_ms = now_ms()
    with meter.metered(stage.server_pids, disk=False) as spent:
        loaded: list[Loaded] = list(
            together(
                [
                    one.submit(
                        task.load, issued_at_ms, range(start, end), clients, phase.most_seconds
                    )
                    for one, start, end in zip(crew, ends, ends[1:], strict=False)
                ],
                phase.most_seconds,
            )
        )
    added = sum(one.added for one in loaded)
    stage.added += added
    counters.settle(stage)
    with counters.reader(stage) as read:
        said = read()
    # Those that a worker left out are never loaded: the next fill begins behind them.
    stage.filled = max(stage.filled, phase.sessions)
    return Filled(
        phase=phase,
        sessions=stage.added,
        added=added,
        elapsed_ns=max(one.end_ns for one in loaded) - min(one.begin_ns for one in loaded),
        processes=len(crew),
        bulk=all(one.bulk for one in loaded),
        stopped=next((one.stopped for one in loaded if one.stopped), None),
        client_cpu_ns=sum(one.cpu_ns for one in loaded),
        client_rss_bytes=sum(one.rss_bytes for one in loaded),
        server_cpu_ns=spent.cpu_ns if spent.seen else None,
        server_rss_bytes=spent.memory_bytes if spent.seen else None,
        disk_bytes=counters.disk_bytes(stage),
        counters=said,
    )
