"""Executes an `Observe`: one instance acts, and every other looks right after."""

from collections import Counter
from collections.abc import Sequence

from bench.load import instances as task
from bench.load.instances import Act, Acted
from bench.load.workers import Worker, together
from bench.phases.stage import Stage
from scenarios.phases.observe import Observe, Observed, Sighting


def execute(phase: Observe, stage: Stage) -> Observed:
    """Let each instance act in turn, `rounds` times in all."""
    crew = stage.crew(phase.instances)
    acts = crew[0].call(task.acts)
    errors: Counter[str] = Counter()
    sightings: list[Sighting] = []
    for number in range(phase.rounds):
        actor = crew[number % phase.instances]
        others = [worker for worker in crew if worker is not actor]
        held = None
        for kind in acts:
            try:
                acted = actor.call(task.act, kind, held)
                sightings.extend(_look(kind, acted, others))
            # A store of anyone may raise anything: it is counted by name.
            except Exception as error:  # noqa: BLE001
                errors[type(error).__name__] += 1
                break
            held = acted.after
    return Observed(phase=phase, sightings=sightings, errors=dict(errors))


def _look(kind: Act, acted: Acted, others: Sequence[Worker]) -> Sequence[Sighting]:
    looks = together([one.submit(task.look, kind, acted.before, acted.after) for one in others])
    return [
        Sighting(act=kind, seen=look.seen, delay_ns=look.at_ns - acted.acknowledged_ns)
        for look in looks
    ]
