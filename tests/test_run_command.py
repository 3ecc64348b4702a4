"""`refreshbench run`: what it does, says and leaves."""

import json
from pathlib import Path

from bench import running
from bench.options import RunOptions
from bench.run_folder import RunFolder
from tests import records
from tests.cli import TINY, Cli, command


def test_run_names_the_run_and_the_report_in_one_json_document(tmp_path: Path) -> None:
    """From any folder, on a real store; everything else goes to stderr."""
    arguments = ["run", "consistency", "-b", "sqlite", "-b", "cookie", *TINY, "--seed", "7"]
    process = command(*arguments, "--json", cwd=tmp_path)
    out, err = process.communicate()
    assert process.returncode == 0, err
    told = json.loads(out)
    folder = RunFolder(Path(told["run"]))
    assert folder.path.parent == tmp_path / "results"
    assert Path(told["report"]).is_file()
    assert told["status"] == "ok"
    # Each is accompanied by a naive way, the positive control.
    assert told["trials"] == {"planned": 4, "ok": 4, "failed": 0}
    run = folder.run()
    assert (run.seed, run.effort, run.skipped) == (7, "quick", [])
    assert run.options["backends"] == ["sqlite", "cookie"]
    assert sorted(trial.id for trial in folder.trials()) == sorted(trial.id for trial in run.plan)
    assert "[4/4] consistency instances" in err
    for trial in folder.trials():
        assert trial.findings["races"]


def test_run_ends_with_a_table_and_the_report(cli: Cli) -> None:
    """On stdout, and the path of the page is the last thing said."""
    said = cli("run", "consistency", "-b", "memory", "-b", "cookie", *TINY)
    assert said.code == 0
    assert "winners per race" in said.out
    *_, last = said.out.splitlines()
    assert Path(last.removeprefix("report: ")).is_file()


def test_a_failed_trial_is_named_and_the_run_goes_on(cli: Cli, tmp_path: Path) -> None:
    """Exit code 1; the others are measured and the report is written."""
    (tmp_path / "mine.py").write_text(
        "import multiprocessing\n"
        "from backends.memory import MemoryStore\n"
        "from backends.store import Policy\n"
        "def make():\n"
        "    if multiprocessing.parent_process():\n"
        "        raise RuntimeError('no luck in a worker')\n"
        "    return MemoryStore(Policy())\n"
    )
    said = cli("run", "consistency", "-b", "mine.py:make", "-b", "cookie", *TINY, "--json")
    assert said.code == 1
    told = said.json()
    assert (told["status"], told["trials"]) == ("failed", {"planned": 3, "ok": 2, "failed": 1})
    [failed] = told["failed"]
    assert failed["id"] == "consistency/instances/mine.py:make/1"
    assert "no luck in a worker" in failed["error"]
    assert f"failed: {failed['id']}: " in said.err
    assert Path(told["report"]).is_file()
    assert "Traceback" not in said.err


def test_runs_of_the_same_second_get_names_of_their_own(tmp_path: Path) -> None:
    """Two at once don't collide, and neither is overwritten."""
    run, _ = records.example(["latency"])
    options = RunOptions.parse({"scenarios": ["latency"]})
    made = [running._create(tmp_path, options, run).path.name for _ in range(3)]
    first = "20260314T092653Z-latency-quick"
    assert made == [first, f"{first}-2", f"{first}-3"]
