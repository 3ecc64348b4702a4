"""`run --resume`: a run that was cut short ends with every trial once."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bench.record import Run
from bench.run_folder import RunFolder
from tests.cli import TINY, Cli, assert_one_line, command


@pytest.fixture
def complete(cli: Cli) -> Run:
    """A small complete run in ./results."""
    said = cli("run", "consistency", "-b", "memory", "-b", "cookie", *TINY, "--json")
    return RunFolder(Path(said.json()["run"])).run()


def only_run(folder: Path) -> Path:
    [path] = (folder / "results").iterdir()
    return path


@pytest.mark.usefixtures("complete")
def test_resuming_a_complete_run_only_reports(cli: Cli, tmp_path: Path) -> None:
    """Nothing runs, nothing is recorded again."""
    before = (only_run(tmp_path) / "trials.jsonl").read_bytes()
    said = cli("run", "--resume", only_run(tmp_path).name, "--json", "--reports", "again")
    assert said.code == 0
    assert Path(said.json()["report"]).is_relative_to(tmp_path / "again")
    assert (only_run(tmp_path) / "trials.jsonl").read_bytes() == before
    assert "[" not in said.err


@pytest.mark.usefixtures("complete")
def test_resuming_with_other_options_is_refused(cli: Cli, tmp_path: Path) -> None:
    """The line names what is said now and what the run has."""
    name = only_run(tmp_path).name
    said = cli("run", "latency", "--resume", name, "--effort", "standard", "-b", "redis")
    assert_one_line(
        said, 2, "SCENARIO latency (it has consistency)", "--effort standard (it has quick)",
        "-b redis (it has memory cookie)",
    )  # fmt: skip


def test_resuming_runs_what_is_left_and_nothing_else(
    cli: Cli, tmp_path: Path, complete: Run
) -> None:
    """Every planned trial ends up recorded once; what was there stays as it was."""
    path = only_run(tmp_path) / "trials.jsonl"
    first, second, *_ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[: len(second) // 2])
    said = cli("run", "--resume", only_run(tmp_path).name, "--seed", str(complete.seed))
    assert said.code == 0
    assert path.read_bytes().startswith(first)
    recorded = [trial.id for trial in RunFolder(only_run(tmp_path)).trials()]
    assert sorted(recorded) == sorted(trial.id for trial in complete.plan)


@pytest.mark.usefixtures("complete")
def test_a_run_does_not_go_on_on_another_machine(cli: Cli, tmp_path: Path) -> None:
    """Its trials could not be compared; the line says what differs."""
    folder = only_run(tmp_path)
    written = json.loads((folder / "run.json").read_text())
    written["environment"]["cpu"]["model"] = "Other 1"
    (folder / "run.json").write_text(json.dumps(written))
    (folder / "trials.jsonl").write_text("")
    assert_one_line(cli("run", "--resume", folder.name), 2, "CPU was Other 1, is ", "run it anew")


@pytest.mark.usefixtures("complete")
def test_a_run_in_progress_is_not_run_by_another_process(cli: Cli, tmp_path: Path) -> None:
    """Refused as long as the other holds it."""
    holder = (
        "import sys, time; from pathlib import Path; from bench.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    folder = only_run(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", holder, folder], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        said = cli("run", "--resume", folder.name)
        process.kill()
    assert_one_line(said, 2, "another process is running", folder.name)


SLOW = ["run", "consistency", "-b", "redis:none", "-b", "sqlite", "--seed", "7",
        *TINY, "--set=consistency.trials=4"]  # fmt: skip


def processes_in(folder: Path) -> list[psutil.Process]:
    """Give every process that has its working directory below `folder`."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        cwd = process.info["cwd"]
        if cwd and Path(cwd).is_relative_to(folder):
            found.append(process)
    return found


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start a run that takes several trials on a real server; ended with the test."""
    started = []

    def start() -> "subprocess.Popen[str]":
        process = command(*SLOW, cwd=tmp_path, REFRESHBENCH_SCRATCH=str(tmp_path / "scratch"))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    """Read what `process` says until it says `text`."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), text


@pytest.mark.server("redis")
@pytest.mark.parametrize("moment", ["trials of", "[1/", "[3/", "[6/"])
def test_a_killed_run_leaves_nothing_and_is_completed_once(
    cli: Cli, tmp_path: Path, slow: Callable[[], "subprocess.Popen[str]"], moment: str
) -> None:
    """SIGKILL: no process left within 5 s, and --resume ends with every trial once."""
    process = slow()
    wait_for(process, moment)
    process.kill()
    gone_by = time.monotonic() + 5
    while left := processes_in(tmp_path / "scratch"):
        assert time.monotonic() < gone_by, left
        time.sleep(0.05)
    folder = RunFolder(only_run(tmp_path))
    before = folder.trials()
    said = cli("run", "--resume", folder.path.name, "--json")
    assert said.code == 0, said.err
    planned = len(folder.run().plan)
    assert said.json()["trials"] == {"planned": planned, "ok": planned, "failed": 0}
    after = folder.trials()
    assert after[: len(before)] == before
    assert sorted(trial.id for trial in after) == sorted(trial.id for trial in folder.run().plan)


@pytest.mark.server("redis")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_how_to_go_on(
    tmp_path: Path, slow: Callable[[], "subprocess.Popen[str]"], number: signal.Signals
) -> None:
    """Exit code 128 + the signal, one line with the command that resumes, nothing left running."""
    process = slow()
    wait_for(process, "[2/")
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number
    assert f"interrupted; go on with: refreshbench run --resume {only_run(tmp_path)}" in err
    assert "Traceback" not in err
    assert all(trial.status == "ok" for trial in RunFolder(only_run(tmp_path)).trials())
    assert processes_in(tmp_path / "scratch") == []
