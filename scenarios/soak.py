"""What time does to a store: a long run of rotations at a fixed rate, as a series."""

from collections.abc import Sequence

from pydantic import NonNegativeInt, PositiveInt

from backends.store import Capabilities
from scenarios.cost import Cost
from scenarios.histogram import count
from scenarios.phases.fill import Fill, Filled
from scenarios.phases.soak import Soak, Soaked
from scenarios.scenario import (
    Case,
    Effort,
    Findings,
    Observation,
    Parameters,
    PositiveNumber,
    Scenario,
)


class SoakParameters(Parameters, frozen=True):
    """Parameters of `soak`."""

    seconds: PositiveNumber = 20.0
    """Of the load on each store."""
    interval_seconds: PositiveNumber = 1.0
    """One point of the series."""
    rate: PositiveNumber = 400.0
    """Rotations offered a second, all clients together, evenly spaced."""
    sessions: PositiveInt = 10_000
    """Loaded before, and rotated in turn."""
    connections: PositiveInt = 8
    """Each with a client of its own."""
    most_load_seconds: PositiveNumber = 10.0
    """Of loading: then the store has as many sessions as it has."""


class Point(Findings):
    """The rotations due in one interval: offered = done + errors + unsent."""

    offered: NonNegativeInt
    errors: dict[str, int]
    unsent: NonNegativeInt
    late: NonNegativeInt
    """Sent later than due by the generator's doing."""
    service_ns: dict[int, int]
    response_ns: dict[int, int]


class Counters(Findings):
    """What the store said of itself at one moment."""

    at_seconds: float
    counters: dict[str, float]


class SoakFindings(Findings):
    """What one trial of `soak` found."""

    rate: float
    interval_seconds: float
    sessions: int
    points: list[Point]
    ticks: list[Counters]
    """One before the first interval, then one after each."""
    processes: int
    client_cpu_ns: int
    client_rss_bytes: int | None = None
    server_cpu_ns: int | None
    server_rss_bytes: int | None = None
    cost: Cost | None = None
    """Of the whole load; like memory, None in records of before it was kept."""

    @property
    def completed(self) -> int:
        """Rotations that succeeded."""
        return sum(count(point.response_ns) for point in self.points)


def cases(parameters: SoakParameters, capabilities: Capabilities) -> Sequence[Case]:
    """Load the store, then keep it at it. A store that holds no session has nothing to show."""
    bound = capabilities.bound
    sessions = min(parameters.sessions, bound.sessions) if bound else parameters.sessions
    if not sessions:
        return []
    fill = Fill(
        sessions=sessions,
        connections=parameters.connections,
        most_seconds=parameters.most_load_seconds,
    )
    soak = Soak(
        rate=parameters.rate,
        seconds=parameters.seconds,
        interval_seconds=parameters.interval_seconds,
    )
    return [Case(name="rotations", phases=[fill, soak], trials=parameters.trials)]


def judge(observations: Sequence[Observation]) -> SoakFindings:
    """Keep the series as it was seen."""
    [filled] = [seen for seen in observations if isinstance(seen, Filled)]
    [soaked] = [seen for seen in observations if isinstance(seen, Soaked)]
    return SoakFindings(
        rate=soaked.phase.rate,
        interval_seconds=soaked.phase.interval_seconds,
        sessions=filled.sessions,
        points=[
            Point(
                offered=one.offered,
                errors=one.errors,
                unsent=one.unsent,
                late=one.late,
                service_ns=one.service_ns,
                response_ns=one.response_ns,
            )
            for one in soaked.intervals
        ],
        ticks=[
            Counters(at_seconds=tick.at_seconds, counters=dict(tick.counters))
            for tick in soaked.ticks
        ],
        processes=soaked.processes,
        client_cpu_ns=soaked.client_cpu_ns,
        client_rss_bytes=soaked.client_rss_bytes,
        server_cpu_ns=soaked.server_cpu_ns,
        server_rss_bytes=soaked.server_rss_bytes,
        cost=soaked.cost,
    )


SCENARIO = Scenario(
    name="soak",
    title="Endurance",
    summary="a long run of rotations at a fixed rate: latency, growth and stalls as a series",
    parameters=SoakParameters,
    presets={
        Effort.QUICK: SoakParameters(trials=1),
        Effort.STANDARD: SoakParameters(trials=1, seconds=300.0, sessions=100_000),
        Effort.THOROUGH: SoakParameters(
            trials=1,
            seconds=3_600.0,
            interval_seconds=6.0,
            sessions=1_000_000,
            most_load_seconds=600.0,
        ),
    },
    cases=cases,
    judge=judge,
    findings=SoakFindings,
    default=False,
)
