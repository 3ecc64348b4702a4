"""Executes a `Race`: every instance rotates the same token at the same moment."""

from collections.abc import Sequence

from backends.store import Outcome
from bench.load import instances as task
from bench.load.instances import Attempt
from bench.load.workers import together
from bench.phases.stage import Stage
from scenarios.phases.race import Race, Raced, RaceRound

LEAST_GAP_NS = 1_000_000
"""Between the starts of two races."""
MOST_GAP_NS = 50_000_000
SPIN_NS = 200_000


def execute(phase: Race, stage: Stage) -> Raced:
    """Open the sessions in one instance, and set every instance on them."""
    crew = stage.crew(phase.instances)
    entries = crew[0].call(task.open_sessions, phase.rounds)
    # A race should be over before the next begins; racers on one lock finish one after another.
    alone_ns = crew[0].call(task.rotation_ns)
    gap_ns = min(max(2 * alone_ns * phase.instances, LEAST_GAP_NS), MOST_GAP_NS)
    # With more racers than cores, those that spin would keep the others from their start.
    spin_ns = SPIN_NS if phase.instances <= stage.most_at_once else 0
    start_ns = stage.soon_ns()
    attempts = together(
        [worker.submit(task.race, entries, start_ns, gap_ns, spin_ns) for worker in crew],
        phase.rounds * gap_ns / 1e9,
    )
    return Raced(phase=phase, rounds=[_round(tries) for tries in zip(*attempts, strict=True)])


def _round(tries: Sequence[Attempt]) -> RaceRound:
    """Losers that meet one another when the winner is long done were never in its way."""
    winner = next((one for one in tries if one.outcome == Outcome.ROTATED), min(tries))
    met = (
        one.invoke_ns < winner.return_ns and winner.invoke_ns < one.return_ns
        for one in tries
        if one is not winner
    )
    return RaceRound(outcomes=[one.outcome for one in tries], contested=any(met))
