"""`run --resume`: a run that was cut short ends with every trial once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.record import Run
from bench.run_folder import RunFolder
from tests.cli import TINY, Cli, assert_one_line, command


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the results of a small complete run, which is made once."""
    where = tmp_path_factory.mktemp("recorded")
    process = command("run", "consistency", "-b", "memory", "-b", "cookie", *TINY, cwd=where)
    _, err = process.communicate()
    assert process.returncode == 0, err
    return where / "results"


@pytest.fixture
def complete(recorded: Path, tmp_path: Path) -> Run:
    """A small complete run in ./results."""
    shutil.copytree(recorded, tmp_path / "results")
    return RunFolder(only_run(tmp_path)).run()


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
