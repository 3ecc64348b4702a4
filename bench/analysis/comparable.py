"""Why the figures of two runs may not be held against each other."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from bench.analysis.sampling import parameters_of
from bench.analysis.summary import Summary
from bench.environment import Environment, differing
from bench.record import Run
from scenarios.scenario import AdaptiveParameters, ZeroParameters

FREE = frozenset([*AdaptiveParameters.model_fields, *ZeroParameters.model_fields])
"""Parameters that only say how many trials there are: numbers may be unequal."""


def apart(base: Run, new: Run) -> Mapping[str, str]:
    """Say by name what differs in machine and software."""
    try:
        before, now = (Environment.model_validate(run.environment) for run in (base, new))
    except ValidationError:
        return {"environment": "the environment of a run isn't recorded as this version knows it"}
    return differing(before, now)


def asked_otherwise(base: Run, new: Run, scenario: str) -> Sequence[str]:
    """Say which parameters of a scenario differ, if both runs have it.

    Those are left out that only count trials.
    """
    if not all(scenario in run.parameters for run in (base, new)):
        return []
    before, now = (_asked(run, scenario) for run in (base, new))
    return [
        f"{scenario}.{key} was {before.get(key)}, is {now.get(key)}"
        for key in dict.fromkeys([*before, *now])
        if key not in FREE and before.get(key) != now.get(key)
    ]


def set_otherwise(base: Summary, new: Summary) -> Mapping[str, Sequence[str]]:
    """Say, by label, which settings read back from the server differ."""
    before, now = ({one.label: one.settings for one in every.servers} for every in (base, new))
    return {
        label: words
        for label in before.keys() & now.keys()
        if (
            words := [
                f"{key} was {before[label].get(key)}, is {now[label].get(key)}"
                for key in dict.fromkeys([*before[label], *now[label]])
                if before[label].get(key) != now[label].get(key)
            ]
        )
    }


def _asked(run: Run, scenario: str) -> Mapping[str, object]:
    """Give a run's parameters, with what an older version didn't know at its default."""
    asked = parameters_of(run, scenario)
    return asked.model_dump(mode="json") if asked else {}
