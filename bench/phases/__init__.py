"""Phases: how each kind of a scenario's phase is executed. One file a kind, one line here."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.phases import disturb, measure, observe, race
from bench.phases.stage import Stage
from scenarios.scenario import Disturb, Measure, Observation, Observe, Phase, Race

EXECUTORS: Mapping[type[Any], Callable[[Any, Stage], Observation]] = {
    Measure: measure.execute,
    Disturb: disturb.execute,
    Observe: observe.execute,
    Race: race.execute,
}


def execute(phase: Phase, stage: Stage) -> Observation:
    """Execute one phase of a trial."""
    return EXECUTORS[type(phase)](phase, stage)
