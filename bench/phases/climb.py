"""Executes a `Climb`: a closed loop for the scale, then rates until the capacity is known."""

from collections import Counter
from collections.abc import Sequence

from bench import meter
from bench.load import offering as task
from bench.load.offering import Offer, Offered
from bench.load.open_loop import Account
from bench.load.search import Found, search
from bench.load.workers import Worker, together
from bench.phases import measure
from bench.phases.cost import cost
from bench.phases.stage import Stage
from scenarios.histogram import Histogram, count, merged
from scenarios.phases.climb import Climb, Climbed, Purpose, Step, Tally
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Operation

LONGER = 3.0
"""By how much a step may be drawn out to come to its least number of operations."""
GIVE_UP = 0.5
"""Of a step's length: how long what is left over at its end may still be sent."""
OPERATIONS_CALIBRATED = 20_000
"""At most: a store in process reaches it before the time is up."""


def execute(phase: Climb, stage: Stage) -> Climbed:
    """Calibrate, take every step of the ladder, and search from there."""
    closed = measure.execute(_calibration(phase), stage)
    closed_rate = _rate(closed)
    climb = _Climb(phase, stage, closed.processes)
    places = phase.rates or phase.shares
    scale = 1.0 if phase.rates else closed_rate
    for place in places:
        climb.step("ladder", place * scale, place)
    found = Found(None, None)
    if phase.searches or phase.confirmations:
        found = search(
            [(step.rate, step.holds(phase.bound_ns)) for step in climb.steps],
            climb.holds,
            phase.searches,
            phase.confirmations,
        )
    return Climbed(
        phase=phase,
        closed_rate=closed_rate,
        steps=climb.steps,
        capacity=found.capacity,
        fails_at=found.fails_at,
    )


class _Climb:
    """The steps taken so far, and the workers they are taken with."""

    def __init__(self, phase: Climb, stage: Stage, processes: int) -> None:
        self.steps: list[Step] = []
        self._phase = phase
        self._stage = stage
        self._crew: Sequence[Worker] = stage.crew(processes)
        self._threads = [
            phase.connections // processes + (number < phase.connections % processes)
            for number in range(processes)
        ]

    def holds(self, purpose: Purpose, rate: float) -> bool:
        """Offer a rate, and say whether it was carried."""
        return self.step(purpose, rate, rate).holds(self._phase.bound_ns)

    def step(self, purpose: Purpose, rate: float, place: float) -> Step:
        """Offer a rate to the store for a while."""
        phase, crew = self._phase, self._crew
        longest = phase.seconds * LONGER
        seconds = min(max(phase.seconds, phase.least_operations / rate), longest)
        offers = [
            Offer(
                phase=phase,
                step=len(self.steps),
                # Each client process bears a part of the load that goes with its threads.
                rate=rate * threads / phase.connections,
                seconds=seconds,
                threads=threads,
                number=number,
                processes=len(crew),
            )
            for number, threads in enumerate(self._threads)
        ]
        together([one.submit(task.prepare, offer) for one, offer in zip(crew, offers, strict=True)])
        give_up_seconds = seconds * GIVE_UP
        with meter.metered(self._stage.server_pids) as spent:
            start_ns = self._stage.soon_ns()
            parts: list[Offered] = list(
                together(
                    [one.submit(task.run, start_ns, give_up_seconds) for one in crew],
                    seconds + give_up_seconds,
                )
            )
        accounts = [part.account for part in parts]
        step = Step(
            purpose=purpose,
            place=place,
            rate=rate,
            seconds=seconds,
            tally=_total([one.tally for one in accounts]),
            started=sum(one.started for one in accounts),
            errors=dict(sum((Counter(one.errors) for one in accounts), Counter[str]())),
            response_ns=_responses(accounts),
            service_ns=merged(one.service_ns for one in accounts),
            lag_ns=merged(one.lag_ns for one in accounts),
            pacing_ns=merged(one.pacing_ns for one in accounts),
            tokens_ns=merged(one.tokens_ns for one in accounts),
            busy_ns=sum(one.busy_ns for one in accounts),
            elapsed_ns=max(one.end_ns for one in accounts) - start_ns,
            processes=len(crew),
            connections=phase.connections,
            client_cpu_ns=sum(part.outlay.cpu_ns for part in parts),
            client_rss_bytes=sum(part.outlay.rss_bytes for part in parts),
            server_cpu_ns=spent.cpu_ns if spent.seen else None,
            server_rss_bytes=spent.memory_bytes if spent.seen else None,
            cost=cost(self._stage, spent, [part.outlay.cost for part in parts]),
            exhausted=any(one.exhausted for one in accounts),
        )
        self.steps.append(step)
        return step


def _calibration(phase: Climb) -> Measure:
    return Measure(
        name="calibration",
        workload=phase.workload,
        connections=phase.connections,
        seconds=phase.calibration_seconds,
        warmup_seconds=phase.calibration_seconds / 2,
        most_calls=OPERATIONS_CALIBRATED,
    )


def _rate(closed: Measured) -> float:
    """Give operations a second. A store that answers nothing has no scale, and that ends it."""
    done = sum(count(samples.latency_ns) for samples in closed.samples.values())
    if not done:
        raise RuntimeError("no operation of the calibration came out well")
    return done * 1e9 / closed.elapsed_ns


def _total(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        offered=sum(one.offered for one in tallies),
        ok=sum(one.ok for one in tallies),
        late=sum(one.late for one in tallies),
        failed=sum(one.failed for one in tallies),
        dropped=sum(one.dropped for one in tallies),
        in_flight=sum(one.in_flight for one in tallies),
    )


def _responses(accounts: Sequence[Account]) -> dict[Operation, Histogram]:
    operations = dict.fromkeys(operation for one in accounts for operation in one.response_ns)
    return {
        operation: merged(one.response_ns.get(operation, {}) for one in accounts)
        for operation in operations
    }
