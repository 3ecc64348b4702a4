"""Executes a `Measure`: a closed loop over worker processes, with the cost beside it."""

from collections import Counter

from bench import meter
from bench.load import worker as task
from bench.load.closed_loop import Part
from bench.load.workers import together
from bench.phases.cost import cost
from bench.phases.stage import Stage
from scenarios.histogram import merged
from scenarios.phases.measure import Measure, Measured, Samples
from scenarios.phases.workload import Operation


def execute(phase: Measure, stage: Stage) -> Measured:
    """Share the connections out, warm up, measure, and add the parts up."""
    most = stage.width
    crew = stage.crew(most)
    for one in crew[stage.preloaded :]:
        one.call(task.preload, -(-phase.workload.sessions // most))
    stage.preloaded = most
    active = crew[: min(most, phase.connections)]
    threads = [
        phase.connections // len(active) + (number < phase.connections % len(active))
        for number in range(len(active))
    ]
    together(
        [
            one.submit(task.prepare, phase, share, phase.most_calls // len(active))
            for one, share in zip(active, threads, strict=True)
        ],
        phase.warmup_seconds,
    )
    with meter.metered(stage.server_pids) as spent:
        start_ns = stage.soon_ns()
        parts: list[Part] = list(
            together(
                [one.submit(task.measure, start_ns, phase.seconds) for one in active],
                phase.seconds,
            )
        )
    operations = dict.fromkeys(operation for part in parts for operation in part.samples)
    return Measured(
        phase=phase,
        samples={operation: add_up(operation, parts) for operation in operations},
        elapsed_ns=max(part.end_ns for part in parts) - min(part.begin_ns for part in parts),
        processes=len(active),
        client_cpu_ns=sum(part.cpu_ns for part in parts),
        client_rss_bytes=sum(part.rss_bytes for part in parts),
        server_cpu_ns=spent.cpu_ns if spent.seen else None,
        server_rss_bytes=spent.memory_bytes if spent.seen else None,
        cost=cost(stage, spent, [part.cost for part in parts]),
        exhausted=any(part.exhausted for part in parts),
    )


def add_up(operation: Operation, parts: list[Part]) -> Samples:
    """Merge what the workers saw of one operation."""
    samples = [part.samples[operation] for part in parts if operation in part.samples]
    answered = [one for one in samples if one.latency_ns]
    errors: Counter[str] = Counter()
    for one in samples:
        errors.update(one.errors)
    return Samples(
        latency_ns=merged(one.latency_ns for one in samples),
        minimum_ns=min((one.minimum_ns for one in answered), default=0),
        maximum_ns=max((one.maximum_ns for one in answered), default=0),
        errors=dict(errors),
    )
