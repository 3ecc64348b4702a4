"""Scenarios: the questions put to every store. One file a scenario, one line here."""

import importlib
from collections.abc import Sequence

from scenarios.scenario import Scenario

MODULES = {
    "latency": "scenarios.latency",
    "durability": "scenarios.durability",
    "consistency": "scenarios.consistency",
    "balancer": "scenarios.balancer",
    "failover": "scenarios.failover",
    "staleness": "scenarios.staleness",
    "load": "scenarios.offered_load",
    "scale": "scenarios.scale",
    "soak": "scenarios.soak",
}


def load(name: str) -> Scenario:
    """Import the scenario registered as `name`; KeyError if there is none."""
    scenario: Scenario = importlib.import_module(MODULES[name]).SCENARIO
    return scenario


def names() -> Sequence[str]:
    """Every scenario, in the order a run takes them."""
    return tuple(MODULES)


def by_default() -> Sequence[str]:
    """Those that a run takes which names none."""
    return tuple(name for name in MODULES if load(name).default)
