"""Phases: how each kind of a scenario's phase is executed. One file a kind, one line here."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.phases import (
    balance,
    climb,
    disturb,
    failover,
    fill,
    measure,
    observe,
    race,
    soak,
    stale,
    visit,
)
from bench.phases.stage import Stage
from scenarios.phases.balance import Balance
from scenarios.phases.climb import Climb
from scenarios.phases.disturb import Disturb
from scenarios.phases.failover import Failover
from scenarios.phases.fill import Fill
from scenarios.phases.measure import Measure
from scenarios.phases.observe import Observe
from scenarios.phases.race import Race
from scenarios.phases.soak import Soak
from scenarios.phases.stale import Stale
from scenarios.phases.visit import Visit
from scenarios.scenario import Observation, Phase

EXECUTORS: Mapping[type[Any], Callable[[Any, Stage], Observation]] = {
    Measure: measure.execute,
    Disturb: disturb.execute,
    Observe: observe.execute,
    Failover: failover.execute,
    Race: race.execute,
    Climb: climb.execute,
    Fill: fill.execute,
    Visit: visit.execute,
    Soak: soak.execute,
    Stale: stale.execute,
    Balance: balance.execute,
}


def execute(phase: Phase, stage: Stage) -> Observation:
    """Execute one phase of a trial."""
    return EXECUTORS[type(phase)](phase, stage)
