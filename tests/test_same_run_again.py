"""The command that makes a run again, printed with its report."""

import itertools
import shlex
from pathlib import Path
from typing import Any

import pytest

import scenarios
from bench.options import RunOptions
from bench.record import Run
from bench.report.again import command
from bench.run_folder import RunFolder
from scenarios.scenario import Effort
from tests import records
from tests.summaries import subject

KEPT = sorted((Path(__file__).parent.parent / "results").iterdir())


def run(parameters: dict[str, dict[str, Any]], effort: str = "quick", *given: str) -> Run:
    return records.run_of(
        [subject("a:x")], [], effort=effort, parameters=parameters, options={"set": [*given]}
    )


def sets(made: Run) -> list[str]:
    words = shlex.split(command(made))
    return [word for before, word in itertools.pairwise(words) if before == "--set"]


def preset(scenario: str, effort: Effort = Effort.QUICK, **changed: object) -> dict[str, Any]:
    return {**scenarios.load(scenario).presets[effort].model_dump(mode="json"), **changed}


def test_where_servers_and_load_came_from_is_said_again() -> None:
    """As far as a record tells: a cluster's address isn't in it."""
    made = records.run_of(
        [subject("a:x")], [], options={"servers": "path", "workers": "tcp", "effort": "quick"}
    )
    assert "--servers path --workers tcp://HOST:PORT" in command(made)


def test_what_the_effort_means_today_needs_no_setting() -> None:
    """Only what was set is repeated."""
    made = run({"scale": preset("scale")}, "quick", "scale.trials=1")
    assert sets(made) == ["scale.trials=1"]


def test_what_the_effort_meant_otherwise_is_set() -> None:
    """Beside what was set by hand, which isn't said twice."""
    old = preset("scale", Effort.THOROUGH, most_calls=80_000, trials=1)
    made = run({"scale": old}, "thorough", "scale.trials=1")
    assert sets(made) == ["scale.trials=1", "scale.most_calls=80000"]


@pytest.mark.parametrize(
    ("scenario", "changed"),
    [
        ("latency", {"connections": [3], "seconds": 0.25}),
        ("durability", {"faults": ["lost-reply", "crash"], "trials_at_zero": 59}),
        ("consistency", {"mishaps": ["paused server"], "instances": [2, 5]}),
        ("consistency", {"mishaps": []}),
        ("load", {"mix": {"issue": 1, "rotate": 2}, "devices": False, "rates": [10.0, 20.5]}),
        ("failover", {"partitions": [], "kills": [0.5]}),
    ],
)
def test_the_settings_are_read_as_they_were_written(scenario: str, changed: dict[str, Any]) -> None:
    """Lists, empty ones, mappings, switches and words with blanks."""
    wanted = preset(scenario, **changed)
    asked = {"scenarios": [scenario], "set": sets(run({scenario: wanted}))}
    assert RunOptions.parse(asked).parameters()[scenario].model_dump(mode="json") == wanted


def test_what_this_version_does_not_know_is_left_out() -> None:
    """A scenario, a parameter, an effort: of a newer version, or of an older one."""
    strange = run({"brand-new": {"trials": 3}, "scale": preset("scale", colour="red")})
    assert sets(strange) == []
    assert "refreshbench run brand-new scale" in command(strange)
    assert sets(run({"scale": preset("scale", trials=99)}, "heroic")) == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda path: path.name)
def test_the_runs_that_are_kept_can_be_made_again(folder: Path) -> None:
    """Whatever the presets are by now: each parameter that there still is has its value."""
    made = RunFolder(folder).run()
    asked = {"scenarios": [*made.parameters], "effort": made.effort, "set": sets(made)}
    for scenario, parameters in RunOptions.parse(asked).parameters().items():
        now = parameters.model_dump(mode="json")
        recorded = made.parameters[scenario]
        assert {key: recorded[key] for key in now if key in recorded}.items() <= now.items()
