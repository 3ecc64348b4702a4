"""How a store takes growth: latency, memory and disk from a thousand sessions to ten million."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from backends.store import Capabilities
from scenarios.cost import Cost
from scenarios.histogram import count
from scenarios.latency import OperationSamples
from scenarios.phases.fill import Fill, Filled, Stopped
from scenarios.phases.visit import Visit, Visited
from scenarios.scenario import (
    Case,
    Effort,
    Findings,
    Observation,
    Parameters,
    PositiveNumber,
    Scenario,
)


class ScaleParameters(Parameters, frozen=True):
    """Parameters of `scale`."""

    sessions: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1_000, 10_000, 100_000)
    """Sizes, ascending, that one store grows through in a trial."""
    most_load_seconds: PositiveNumber = 2.0
    """Of each step: then it stops, and the store is measured at the size that it has."""
    connections: PositiveInt = 8
    """Of the closed loop at each size."""
    seconds: PositiveNumber = 0.1
    """Of verify, and of rotate, at each size, unless `most_calls` are made before."""
    warmup_seconds: PositiveNumber = 0.02
    """Load before each that isn't counted."""
    most_calls: PositiveInt = 10_000
    """Of verify, and of rotate, at each size: they are prepared beforehand, in memory."""


class Visits(Findings):
    """One operation among the sessions loaded last."""

    operation: str
    samples: OperationSamples
    elapsed_ns: int
    client_cpu_ns: int
    server_cpu_ns: int | None
    processes: int
    cost: Cost | None = None
    """Disk, fsyncs and network; None in records of before it was kept."""
    exhausted: bool = False
    """Whether some client had made all its calls before the time was up."""

    @property
    def completed(self) -> int:
        """Operations that ended as expected."""
        return count(self.samples.latency_ns)


class Size(Findings):
    """A store at one size in one trial."""

    wanted: int
    """The size asked for."""
    sessions: int
    """The size it has."""
    added: int
    load_ns: int
    bulk: bool
    stopped: Stopped | None
    processes: int
    """That loaded."""
    load_client_cpu_ns: int
    load_server_cpu_ns: int | None
    client_rss_bytes: int
    server_rss_bytes: int | None
    disk_bytes: int | None
    counters: dict[str, float]
    visits: list[Visits]


class ScaleFindings(Findings):
    """What one trial of `scale` found; the first size is the empty store."""

    sizes: list[Size]


def cases(parameters: ScaleParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial takes a fresh store through every size that it is meant to hold."""
    most = capabilities.bound.sessions if capabilities.bound else max(parameters.sessions)
    sizes = [size for size in sorted(set(parameters.sessions)) if size <= most]
    if not sizes:
        return []
    phases: list[Fill | Visit] = [_fill(parameters, 0)]
    for size in sizes:
        phases.append(_fill(parameters, size))
        phases += [
            Visit(
                operation=operation,
                seconds=parameters.seconds,
                warmup_seconds=parameters.warmup_seconds,
                most_calls=parameters.most_calls,
            )
            for operation in ("verify", "rotate")
        ]
    return [Case(name="growing", phases=phases, trials=parameters.trials)]


def judge(observations: Sequence[Observation]) -> ScaleFindings:
    """Put the visits to the size that they were made at."""
    sizes: list[Size] = []
    for seen in observations:
        if isinstance(seen, Filled):
            sizes.append(_size(seen))
        elif isinstance(seen, Visited) and seen.samples:
            sizes[-1].visits.append(_visits(seen))
    return ScaleFindings(sizes=sizes)


def _fill(parameters: ScaleParameters, sessions: int) -> Fill:
    return Fill(
        sessions=sessions,
        connections=parameters.connections,
        most_seconds=parameters.most_load_seconds,
    )


def _size(seen: Filled) -> Size:
    return Size(
        wanted=seen.phase.sessions,
        sessions=seen.sessions,
        added=seen.added,
        load_ns=seen.elapsed_ns,
        bulk=seen.bulk,
        stopped=seen.stopped,
        processes=seen.processes,
        load_client_cpu_ns=seen.client_cpu_ns,
        load_server_cpu_ns=seen.server_cpu_ns,
        client_rss_bytes=seen.client_rss_bytes,
        server_rss_bytes=seen.server_rss_bytes,
        disk_bytes=seen.disk_bytes,
        counters=dict(seen.counters),
        visits=[],
    )


def _visits(seen: Visited) -> Visits:
    samples = seen.samples[seen.phase.operation]
    return Visits(
        operation=seen.phase.operation,
        samples=OperationSamples(
            latency_ns=dict(samples.latency_ns),
            minimum_ns=samples.minimum_ns,
            maximum_ns=samples.maximum_ns,
            errors=dict(samples.errors),
        ),
        elapsed_ns=seen.elapsed_ns,
        client_cpu_ns=seen.client_cpu_ns,
        server_cpu_ns=seen.server_cpu_ns,
        processes=seen.processes,
        cost=seen.cost,
        exhausted=seen.exhausted,
    )


SCENARIO = Scenario(
    name="scale",
    title="Growth",
    summary="latency, memory, disk and load rate from a thousand sessions on",
    parameters=ScaleParameters,
    presets={
        Effort.QUICK: ScaleParameters(trials=1),
        Effort.STANDARD: ScaleParameters(
            trials=3,
            sessions=(1_000, 10_000, 100_000, 1_000_000),
            most_load_seconds=120.0,
            seconds=2.0,
            warmup_seconds=0.3,
            most_calls=40_000,
        ),
        Effort.THOROUGH: ScaleParameters(
            trials=3,
            sessions=(1_000, 10_000, 100_000, 1_000_000, 10_000_000),
            most_load_seconds=1_800.0,
            seconds=5.0,
            warmup_seconds=1.0,
            most_calls=50_000,
        ),
    },
    cases=cases,
    judge=judge,
    findings=ScaleFindings,
    default=False,
)
