"""How fast: latency and throughput of issue, verify, rotate and the mixed workload, closed loop."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from backends.store import Capabilities
from scenarios.cost import Cost
from scenarios.histogram import count, merged, percentile_ns
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Operation, Workload
from scenarios.scenario import (
    AdaptiveParameters,
    Case,
    Effort,
    Findings,
    Observation,
    PositiveNumber,
    Scenario,
)

MIXES: Mapping[str, Mapping[Operation, int]] = {
    "issue": {"issue": 1},
    "verify": {"verify": 1},
    "rotate": {"rotate": 1},
    "mixed": {"issue": 11, "rotate": 88, "revoke": 1},
}
"""`mixed` is Keycloak's sizing example: 45 logins, 360 refreshes and 5 logouts a second."""

ORDER = ("verify", "rotate", "mixed", "issue")
"""In which they are measured: what adds sessions comes last, or a faster store would be asked to
refresh among more of them than a slower one."""


class LatencyParameters(AdaptiveParameters, frozen=True):
    """Parameters of `latency`."""

    connections: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 8, 32)
    """Each with a client of its own; every operation is measured at each of these numbers."""
    seconds: PositiveNumber = 0.5
    """Of each cell: one operation at one number of connections."""
    warmup_seconds: PositiveNumber = 0.1
    """Load before each cell that isn't counted."""
    sessions: PositiveInt = 1_000
    """Issued before the first cell, shared out among the connections."""
    most_calls: PositiveInt = 400_000
    """Of each cell: a store in process reaches it before the time is up."""


class OperationSamples(Findings):
    """One operation of one cell in one trial."""

    latency_ns: dict[int, int]
    minimum_ns: int
    maximum_ns: int
    errors: dict[str, int]


class Cell(Findings):
    """One workload at one number of connections in one trial."""

    workload: str
    connections: int
    operations: dict[str, OperationSamples]
    elapsed_ns: int
    processes: int
    client_cpu_ns: int
    client_rss_bytes: int
    server_cpu_ns: int | None
    server_rss_bytes: int | None
    exhausted: bool
    cost: Cost | None = None
    """Disk, fsyncs and network; None in records of before it was kept."""

    @property
    def completed(self) -> int:
        """Operations that ended as expected."""
        return sum(count(samples.latency_ns) for samples in self.operations.values())


class LatencyFindings(Findings):
    """What one trial of `latency` found; percentiles are taken after merging trials."""

    cells: list[Cell]


def cases(parameters: LatencyParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial takes a fresh server through every cell."""
    phases = [
        Measure(
            name=name,
            workload=Workload(mix=MIXES[name], sessions=parameters.sessions),
            connections=connections,
            seconds=parameters.seconds,
            warmup_seconds=parameters.warmup_seconds,
            most_calls=parameters.most_calls,
        )
        for name in ORDER
        for connections in parameters.connections
        if capabilities.revokes or "revoke" not in MIXES[name]
    ]
    return [Case(name="closed-loop", phases=phases, trials=parameters.trials)]


def judge(observations: Sequence[Observation]) -> LatencyFindings:
    """Keep every cell as it was measured."""
    return LatencyFindings(
        cells=[
            Cell(
                workload=seen.phase.name,
                connections=seen.phase.connections,
                operations={
                    operation: OperationSamples(
                        latency_ns=dict(samples.latency_ns),
                        minimum_ns=samples.minimum_ns,
                        maximum_ns=samples.maximum_ns,
                        errors=dict(samples.errors),
                    )
                    for operation, samples in seen.samples.items()
                },
                elapsed_ns=seen.elapsed_ns,
                processes=seen.processes,
                client_cpu_ns=seen.client_cpu_ns,
                client_rss_bytes=seen.client_rss_bytes,
                server_cpu_ns=seen.server_cpu_ns,
                server_rss_bytes=seen.server_rss_bytes,
                exhausted=seen.exhausted,
                cost=seen.cost,
            )
            for seen in observations
            if isinstance(seen, Measured)
        ]
    )


def figures(findings: LatencyFindings) -> Mapping[str, float]:
    """Give throughput and p50 of every cell in which anything was done."""
    found: dict[str, float] = {}
    for cell in findings.cells:
        name = f"{cell.workload} @{cell.connections}"
        together = merged(samples.latency_ns for samples in cell.operations.values())
        if together:
            found[f"{name} throughput"] = cell.completed * 1e9 / cell.elapsed_ns
        if p50_ns := percentile_ns(together, "50"):
            found[f"{name} p50"] = p50_ns
    return found


SCENARIO = Scenario(
    name="latency",
    title="Latency and throughput",
    summary="issue, verify, rotate and the mixed workload, closed loop, by number of connections",
    parameters=LatencyParameters,
    presets={
        Effort.QUICK: LatencyParameters(
            trials=5,
            connections=(1, 8),
            seconds=0.08,
            warmup_seconds=0.02,
            sessions=400,
            most_calls=10_000,
        ),
        Effort.STANDARD: LatencyParameters(
            trials=10, more_trials=10, seconds=1.0, warmup_seconds=0.2
        ),
        Effort.THOROUGH: LatencyParameters(
            trials=20, more_trials=30, seconds=5.0, warmup_seconds=1.0, budget_seconds=21_600
        ),
    },
    cases=cases,
    judge=judge,
    findings=LatencyFindings,
    figures=figures,
    control=True,
)
