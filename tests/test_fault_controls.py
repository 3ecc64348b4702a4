"""Who is put to a fault beside the subjects, so that their zeros mean something."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import backends
import scenarios
from backends import BUILT_IN, Subject
from bench.analysis import summary
from bench.faults import Lack
from bench.plan import DEFAULT_SUBJECTS, facts, left_out, plan
from bench.report.formats import BESIDE
from bench.run_folder import RunFolder
from bench.running import RunResult
from scenarios.durability import (
    LAST_CONTROL,
    PROMISES,
    SCENARIO,
    DurabilityParameters,
    companions,
)
from scenarios.scenario import Effort

THREE = ("restart", "crash", "powercut")
CONTROLS = {name: profile for name in BUILT_IN if (profile := backends.load(name).control_profile)}
"""Built-in backend -> the profile that it declares to lose with."""
FACTORY = f"{Path(__file__).parent / 'racy_store.py'}:make"


def subjects(*specs: str) -> Sequence[Subject]:
    return [backends.resolve(spec) for spec in specs]


def company(*specs: str, faults: Sequence[str] = THREE) -> dict[str, object]:
    asked = DurabilityParameters.model_validate({"trials": 1, "faults": faults})
    return {one.spec: one.cases for one in companions(asked, subjects(*specs))}


def test_who_survives_all_is_accompanied_by_the_same_store_set_to_lose() -> None:
    """By memory where no profile of that store would lose; each for those faults alone."""
    assert company("redis:aof-always") == {"redis:none": ["restart", "crash", "powercut"]}
    assert company("redis:aof-always@sentinel") == company("redis:aof-always")
    assert company("postgres:sync") == {
        "memory:process": ["restart"],
        "postgres:async": ["crash", "powercut"],
    }
    assert company("files:fsync", "postgres:sync", faults=["crash"]) == {
        "postgres:async": ["crash"]
    }


def test_nobody_joins_who_is_not_needed() -> None:
    """Where a subject is declared to lose by a fault, where there is no store, where nothing is."""
    assert company("redis:aof-always", "memory") == {}
    assert company(*DEFAULT_SUBJECTS) == {}
    assert company("redis:none") == {}
    assert company("cookie") == {}
    assert company("files:fsync", faults=["pause", "disk-full", "io-error"]) == {}


def test_who_loses_by_a_rare_moment_is_no_control() -> None:
    """Few kills meet Redis while it syncs, and few power cuts SQLite right after a commit."""
    assert company("redis:aof-everysec") == {"redis:none": ["restart", "crash", "powercut"]}
    assert company("sqlite:delete-full", faults=["powercut"]) == {"sqlite:wal-normal": ["powercut"]}


def test_a_store_that_has_no_name_is_accompanied_by_memory(tmp_path: Path) -> None:
    """A backend out of a file is known by its file alone, so no profile of it can be asked for."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from backends.files import BACKEND\n"
        "MINE = replace(BACKEND, name='mine')\n"
    )
    assert company(f"{file}:MINE", faults=["powercut"]) == {"memory:process": ["powercut"]}


def test_a_topology_is_no_control_of_a_single_server() -> None:
    """It is put to fewer faults."""
    assert company("redis:none@sentinel", "redis:aof-always", faults=["powercut"]) == {
        "redis:none": ["powercut"]
    }


def test_every_store_that_has_a_choice_has_a_profile_as_a_control() -> None:
    """The naive ways too, should one be put to faults."""
    several = {name for name in BUILT_IN if len(backends.load(name).profiles) > 1}
    assert several == CONTROLS.keys()


@pytest.mark.parametrize(("name", "profile"), CONTROLS.items())
def test_a_control_profile_is_declared_to_lose_by_a_power_cut(name: str, profile: str) -> None:
    """Whatever it survives besides."""
    assert "survives_power_cut" in backends.resolve(f"{name}:{profile}").lacking


def test_the_last_control_loses_by_all() -> None:
    """There is always somebody to stand beside a zero."""
    assert set(PROMISES.values()) <= backends.resolve(LAST_CONTROL).lacking.keys()


def planned(named: Sequence[str], joining: Sequence[str], **left: object) -> set[tuple[str, str]]:
    """Plan durability and consistency, and give label and case of what is planned."""
    asked = [
        (scenarios.load(n), scenarios.load(n).presets[Effort.QUICK])
        for n in ("durability", "consistency", "latency")
    ]
    every = subjects(*named, *joining)
    described = facts(every, control=True, company=joining)
    trials = plan(asked, every, described, 1, **left)  # type: ignore[arg-type]
    return {(trial.label, f"{trial.scenario}/{trial.case}") for trial in trials}


def test_a_companion_goes_through_nothing_but_what_it_is_needed_for() -> None:
    """No latency, no race; and a naive one, brought for races, gets no fault."""
    joining = ["memory:process", "files:nofsync", "files-naive:fsync"]
    found = planned(["files:fsync"], joining)
    assert {(label, case) for label, case in found if label in joining} == {
        ("memory:process", "durability/restart"),
        ("memory:process", "durability/crash"),
        ("files:nofsync", "durability/powercut"),
        ("files-naive:fsync", "consistency/instances"),
    }


def test_a_companion_is_put_to_no_fault_by_itself() -> None:
    """What its subjects are spared, or can't be put to here, says nothing by it alone."""
    lacking = {"powercut": Lack("no loop device", "be root")}
    found = planned(["files:fsync"], ["memory:process", "files:nofsync"], lacking=lacking)
    assert "files:nofsync" not in {label for label, _ in found}
    found = planned(["redis:aof-always"], ["redis:none"], spared={"redis:aof-always"})
    assert "redis:none" not in {label for label, _ in found}


def test_what_a_companion_is_not_put_to_is_not_listed_as_left_out() -> None:
    """Nobody asked for it."""
    every = subjects("redis:aof-always", "redis:none")
    described = facts(every, control=False, company=["redis:none"])
    asked = [(SCENARIO, SCENARIO.presets[Effort.QUICK])]
    [said] = left_out(asked, every, described, {"redis:aof-always", "redis:none"})
    assert said.spec == "redis:aof-always in durability"


def test_the_control_half_is_never_of_a_companion() -> None:
    """The noise is that of a store that was asked for."""
    every = subjects("files:fsync", "redis:none")
    described = facts(every, control=True, company=["redis:none"])
    assert [fact.label for fact in described if fact.control] == ["files:fsync (again)"]
    assert [fact.label for fact in described if fact.companion] == ["redis:none"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """Run one store that survives everything, as its user does."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("refreshbench"),
            *("run", "durability", "-b", "files:fsync", "--json"),
            *("--set=durability.faults=crash", "--set=durability.trials=1"),
        ],
        cwd=tmp_path_factory.mktemp("controlled"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return RunResult.model_validate(json.loads(done.stdout))


def test_a_run_of_one_store_has_its_control(ran: RunResult) -> None:
    """Its zero is controlled, and who lost is named, but compared with nobody."""
    folder = RunFolder(ran.run)
    found = summary(folder.run(), folder.trials())
    figures = found.fault("files:fsync", "crash")
    assert figures is not None
    assert figures.losses["lost_writes"].total == 0
    assert found.controlled("crash", "lost_writes")
    assert [one.label for one in found.fault_controls()] == ["memory:process"]
    assert [one.label for _, members in found.by_class() for one in members] == ["files:fsync"]
    assert found.contradictions == []


def test_the_report_shows_who_was_run_beside(ran: RunResult) -> None:
    """In a group of its own, and in no command that makes the run again."""
    page = ran.report.read_text(encoding="utf-8")
    assert BESIDE in page
    assert "crash, a lost write: seen in memory:process." in page
    assert "refreshbench run durability -b files:fsync --effort" in page


def test_without_a_loss_of_the_control_a_zero_stays_uncontrolled(ran: RunResult) -> None:
    """That somebody was there to lose is not enough."""
    folder = RunFolder(ran.run)
    kept = [
        trial.model_copy(
            update={"findings": {**trial.findings, "lost_writes": 0, "lost_sessions": 0}}
        )
        for trial in folder.trials()
    ]
    assert not summary(folder.run(), kept).controlled("crash", "lost_writes")
