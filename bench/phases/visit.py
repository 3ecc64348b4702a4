"""Executes a `Visit`: a closed loop of every worker over the sessions that it loaded last."""

from bench import meter
from bench.load import fill as task
from bench.load.closed_loop import Part
from bench.load.workers import together
from bench.phases.cost import cost
from bench.phases.measure import add_up
from bench.phases.stage import Stage
from scenarios.phases.visit import Visit, Visited


def execute(phase: Visit, stage: Stage) -> Visited:
    """Warm up, measure, and add the workers' parts up."""
    crew = stage.crew(stage.width)
    most_calls = phase.most_calls // len(crew)
    together([one.submit(task.prepare, phase, most_calls) for one in crew], phase.warmup_seconds)
    with meter.metered(stage.server_pids) as spent:
        start_ns = stage.soon_ns()
        found = together(
            [one.submit(task.visit, start_ns, phase.seconds) for one in crew], phase.seconds
        )
    parts: list[Part] = [part for part in found if part is not None]
    return Visited(
        phase=phase,
        samples={phase.operation: add_up(phase.operation, parts)} if parts else {},
        elapsed_ns=max((part.end_ns for part in parts), default=0)
        - min((part.begin_ns for part in parts), default=0),
        processes=len(parts),
        client_cpu_ns=sum(part.cpu_ns for part in parts),
        server_cpu_ns=spent.cpu_ns if spent.seen else None,
        cost=cost(stage, spent, [part.cost for part in parts]),
        exhausted=any(part.exhausted for part in parts),
    )
