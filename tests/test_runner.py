"""The runner: what goes wrong in a trial is its result; what goes wrong with the record ends it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import servers
from bench.errors import Failed, Missing, WrongUse
from bench.record import PlannedTrial, Run, SubjectFacts
from bench.run_folder import RunFolder
from bench.runner import Runner
from bench.servers.programs import Programs
from bench.servers.server import Found
from bench.workspace import Workspace
from scenarios.scenario import Effort
from tests import records
from tests.played import Silent

REDIS = Found("redis", "wheel", "", "")
QUICK = {
    "consistency": {"trials": 1, "instances": [2], "sightings": 1, "races": 1},
    "durability": {"trials": 1, "faults": ["crash"], "seconds": 0.1, "sessions": 8},
    "failover": {"trials": 1, "partitions": [0.2], "kills": [], "before_seconds": 0.2},
}
CASES = {"consistency": "instances", "durability": "crash", "failover": "partition-0.2s"}


Execute = Callable[..., tuple[RunFolder, list[str]]]


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Execute]:
    """Run one trial for each spec, and give the folder and what the display was told."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path / "scratch"))

    def run(*specs: str, scenario: str = "consistency") -> tuple[RunFolder, list[str]]:
        example, _ = records.example([scenario])
        described = example.model_copy(
            update={
                "effort": Effort.QUICK,
                "parameters": {scenario: QUICK[scenario]},
                "subjects": [facts(spec) for spec in specs],
                "plan": [planned(scenario, spec) for spec in specs],
            }
        )
        folder = RunFolder.create(tmp_path / "results" / "run", described)
        return folder, drive(folder, described)

    def drive(folder: RunFolder, run: Run) -> list[str]:
        display = Silent()
        with Workspace() as workspace:
            runner = Runner(
                folder=folder,
                run=run,
                servers={"redis": REDIS},
                workspace=workspace,
                progress=display,
            )
            runner.execute(())
            assert not list(workspace.path.glob("trial-*")), "every trial removes its folders"
        return display.told

    yield run
    assert not list(tmp_path.glob("scratch/runs/*"))


def facts(spec: str) -> SubjectFacts:
    return SubjectFacts(
        label=spec, spec=spec, backend="x", title="X", durability="crash", lacking={}
    )


def planned(scenario: str, spec: str) -> PlannedTrial:
    case = CASES[scenario]
    return PlannedTrial(
        id=f"{scenario}/{case}/{spec}/1",
        scenario=scenario,
        case=case,
        label=spec,
        repeat=1,
        seed=1,
    )


def test_a_trial_that_fails_is_recorded_and_the_run_goes_on(
    execute: Execute, tmp_path: Path
) -> None:
    """One line says why, the traceback is kept beside it, and the next trial runs."""
    odd = f"{Path(__file__).with_name('odd_stores.py')}:dies"
    folder, told = execute(odd, "cookie")
    failed, fine = folder.trials()
    assert (failed.status, fine.status) == ("failed", "ok")
    assert failed.error is not None
    assert "\n" not in failed.error
    assert failed.findings == {}
    [trace] = (folder.path / "errors").iterdir()
    assert "Traceback" in trace.read_text()
    assert told == [f"started {odd}", f"failed {odd}", "started cookie", "ok cookie"]


def starting(monkeypatch: pytest.MonkeyPatch, raised: Exception) -> None:
    def start(*_: object) -> Any:
        raise raised

    monkeypatch.setattr(servers, "start", start)


def test_a_server_that_does_not_start_fails_its_trial_alone(
    execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said is in the record."""
    starting(monkeypatch, Failed("redis died at start: no room"))
    folder, _ = execute("redis:none", "cookie")
    assert [trial.status for trial in folder.trials()] == ["failed", "ok"]
    assert folder.trials()[0].error == "Failed: redis died at start: no room"


@pytest.mark.parametrize("raised", [WrongUse("not so"), Missing("not here")])
def test_what_the_user_has_to_mend_ends_the_run(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, raised: Exception, tmp_path: Path
) -> None:
    """Every trial to come would meet it too, and none is recorded as failed."""
    starting(monkeypatch, raised)
    with pytest.raises(type(raised), match=str(raised)):
        execute("redis:none", "cookie")
    assert RunFolder(tmp_path / "results" / "run").trials() == []


@pytest.mark.server("redis")
def test_how_the_members_of_a_topology_act_as_one_is_recorded(execute: Execute) -> None:
    """Beside the profile's settings: between two topologies it can be the only difference."""
    folder, _ = execute("redis:none@sentinel", scenario="failover")
    [trial] = folder.trials()
    assert trial.settings["appendonly"] == "no"
    assert trial.settings["min-replicas-to-write"] == "0"
    assert trial.settings["down-after-milliseconds"] == "1000"


def test_a_history_that_cannot_be_written_ends_the_run(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The trial came out well: on a disk that is full it is not recorded as one that failed."""

    def full(*_: object) -> None:
        raise Failed("can't write it: No space left on device")

    monkeypatch.setattr(RunFolder, "write_history", full)
    with pytest.raises(Failed, match="No space left"):
        execute("memory", "cookie", scenario="durability")
    assert RunFolder(tmp_path / "results" / "run").trials() == []


DIES = """#!{python}
import sys
if "--version" in sys.argv:
    print("Redis server v=7.4.1 sha=00000000:0")
    sys.exit()
print("first line")
print("Fatal: can't allocate what it needs")
sys.exit(1)
"""


def test_the_last_words_of_a_server_that_dies_at_start_are_in_the_record(
    execute: Execute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user meets it: a program that runs when asked for its version, and no further."""
    program = tmp_path / "bin" / "redis-server"
    program.parent.mkdir()
    program.write_text(DIES.format(python=sys.executable))
    program.chmod(0o755)
    way = servers.WAYS["wheel"]
    assert isinstance(way, Programs)
    monkeypatch.setattr(way, "locate", lambda kind: program, raising=True)
    folder, _ = execute("redis:none")
    [trial] = folder.trials()
    assert trial.error is not None
    assert "died at start" in trial.error
    assert "Fatal: can't allocate what it needs" in trial.error
