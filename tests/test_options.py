"""Options: everything wrong is found before anything starts, and told in one line."""

from pathlib import Path
from typing import Any

import pytest

from bench import servers
from bench.errors import WrongUse
from bench.options import SERVERS, RunOptions, contradictions, shared, writable


def refusal(**given: Any) -> str:
    """Give the one line that `given` is refused with."""
    with pytest.raises(WrongUse) as refused:
        RunOptions.parse(given).parameters()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_silence_means_every_scenario_quick() -> None:
    """What isn't given is unset, and filled in from the presets."""
    options = RunOptions.parse({"scenarios": None, "set": [], "effort": None})
    assert options.model_fields_set == set()
    parameters = options.parameters()
    assert list(parameters) == ["latency", "durability", "consistency"]
    assert parameters["latency"].trials == 5


def test_only_a_quick_run_of_everything_is_brief() -> None:
    """It takes one fault a cell, so as to end in five minutes; a scenario named takes a handful."""
    brief = RunOptions.parse({}).parameters()["durability"]
    assert brief.trials == 1
    named = RunOptions.parse({"scenarios": ["durability"]}).parameters()["durability"]
    assert named.trials == 3
    assert brief.model_copy(update={"trials": 3}) == named
    longer = RunOptions.parse({"effort": "standard"}).parameters()["durability"]
    assert longer.trials == 10
    asked = RunOptions.parse({"set": ["durability.trials=2"]}).parameters()["durability"]
    assert asked.trials == 2


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("latency.connections=1,64", "connections", (1, 64)),
        ("latency.connections=64", "connections", (64,)),
        ("latency.connections=[1, 64]", "connections", (1, 64)),
        ("latency.seconds=2.5", "seconds", 2.5),
        ("latency.trials=7", "trials", 7),
    ],
)
def test_settings_change_one_parameter(setting: str, key: str, value: object) -> None:
    """Plain values, commas for several, or JSON; the rest stays as the effort says."""
    [preset] = RunOptions.parse({"scenarios": ["latency"]}).parameters().values()
    [changed] = RunOptions.parse({"scenarios": ["latency"], "set": [setting]}).parameters().values()
    assert changed.model_dump() == preset.model_dump() | {key: value}


def test_the_last_of_two_settings_of_one_key_stands() -> None:
    """As everywhere on command lines."""
    options = RunOptions.parse({"set": ["latency.trials=2", "latency.trials=3"]})
    assert options.parameters()["latency"].trials == 3


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("latency", "write scenario.key=value"),
        ("latency.trials", "write scenario.key=value"),
        ("=3", "write scenario.key=value"),
        ("latncy.trials=3", "did you mean 'latency'?"),
        ("latency.trails=3", "did you mean 'trials'?"),
        ("latency.trials=0", "greater than 0; for example trials=5"),
        ("latency.trials=-1", "greater than 0"),
        ("latency.trials=many", "valid integer"),
        ("latency.trials=", "valid integer"),
        ("latency.trials=2.5", "valid integer"),
        ("latency.seconds=nan", "finite number"),
        ("latency.seconds=inf", "finite number"),
        ("latency.seconds=0", "greater than 0"),
        ("latency.connections=1,0", "greater than 0; for example connections=1,8"),
        ("latency.connections=[1,", "tuple"),
        ("latency.connections=[]", "at least 1 item"),
        ("durability.faults=fire", "'restart', 'crash', 'powercut'"),
        ("consistency.instances=1", "greater than or equal to 2"),
    ],
)
def test_a_wrong_setting_is_told_with_what_is_valid(setting: str, says: str) -> None:
    """The line names the option as it was given, what is wrong, and what there is."""
    line = refusal(set=[setting])
    assert line.startswith(f"--set {setting}: ")
    assert says in line


def test_a_setting_of_a_scenario_that_is_not_run_is_refused() -> None:
    """It would have no effect, and its writer would not know."""
    line = refusal(scenarios=["latency"], set=["durability.trials=3"])
    assert "durability isn't in this run; it takes latency" in line


def test_everything_wrong_is_told_at_once() -> None:
    """One line with every problem, each under the name it has on the command line."""
    line = refusal(scenarios=["latncy"], effort="quik", servers="weel", seed=-1)
    for part in (
        "SCENARIO: no 'latncy'; did you mean 'latency'?",
        "--effort: no 'quik'; did you mean 'quick'? there is: quick, standard, thorough",
        "--servers: no 'weel'; did you mean 'wheel'? there is: auto, wheel, path, url",
        "--seed: input should be greater than or equal to 0",
    ):
        assert part in line


def test_the_ways_offered_are_the_ways_there_are() -> None:
    """Options name them without importing a driver; this holds the two together."""
    assert tuple(SERVERS) == ("auto", *servers.WAYS)


def test_only_what_is_said_otherwise_contradicts_a_run() -> None:
    """Options left out when resuming, or given alike, are fine."""
    recorded = RunOptions.parse({"scenarios": ["latency"], "backends": ["memory"], "seed": 7})
    silent = RunOptions.parse({})
    alike = RunOptions.parse({"scenarios": ["latency"], "seed": 7, "effort": "quick"})
    other = RunOptions.parse({"scenarios": ["durability"], "effort": "standard", "seed": 8})
    assert contradictions(silent, recorded) == []
    assert contradictions(alike, recorded) == []
    assert contradictions(other, recorded) == [
        "SCENARIO durability (it has latency)",
        "--effort standard (it has quick)",
        "--seed 8 (it has 7)",
    ]


def test_a_factory_s_path_names_nobody_s_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the working folder it is relative, below home it begins with ~; others stay."""
    home = tmp_path / "home" / "secret"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    assert shared(f"{home}/work/store.py:make") == "store.py:make"
    assert shared(f"{home}/other/store.py:make") == "~/other/store.py:make"
    assert shared("/opt/store.py:make") == "/opt/store.py:make"
    assert shared("../store.py:make") == "../store.py:make"
    assert shared("package.module:make") == "package.module:make"
    assert shared("redis:none") == "redis:none"


def test_a_folder_that_can_be_made_is_made(tmp_path: Path) -> None:
    """And nothing is left in it."""
    writable("--results", tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("place", ["/sys/refreshbench", "/proc/refreshbench", "/dev/null/x"])
def test_a_folder_that_cannot_be_written_is_told_by_its_option(place: str) -> None:
    """Read-only, or no folder at all: refused for root, too."""
    with pytest.raises(WrongUse, match=rf"^--results {place}: can't be written: .*; choose"):
        writable("--results", Path(place))
