"""Wrong use: one line, exit code 2, before anything starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import running, servers
from bench.record import FORMAT
from tests import records
from tests.cli import Cli, Said, assert_one_line


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever looks for a server, or makes a place for one."""

    def never(*_: object) -> None:
        raise AssertionError("reached the servers")

    monkeypatch.setattr(servers, "find", never)
    monkeypatch.setattr(running, "Workspace", never)


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["rnu"], ["No such command 'rnu'", "run"]),
        (["frobnicate"], ["No such command 'frobnicate' (see refreshbench --help)"]),
        (["run", "--efort", "quick"], ["--efort", "--effort"]),
        (["run", "--effort"], ["--effort", "requires an argument"]),
        (["run", "--effort", "quik"], ["--effort", "did you mean 'quick'?", "thorough"]),
        (["run", "--servers", "weel"], ["--servers", "did you mean 'wheel'?", "url"]),
        (["run", "--seed", "x"], ["--seed", "integer"]),
        (["run", "--seed", "-1"], ["--seed", "0"]),
        (["run", "latncy"], ["'latncy'", "did you mean 'latency'?", "consistency"]),
        (["run", "-b", "redi"], ["'redi'", "did you mean 'redis'?", "cookie"]),
        (["run", "-b", "redis:aof"], ["'aof'", "aof-always", "rdb"]),
        (["run", "-b", "nosuch.py:make"], ["nosuch.py"]),
        (["run", "--set", "latency.connections=0"], ["--set latency.connections=0", "greater"]),
        (["run", "--set", "nonsense"], ["--set nonsense", "scenario.key=value"]),
        (["run", "--results", "/sys/refreshbench"], ["--results /sys/refreshbench", "written"]),
        (["run", "--reports", "/dev/null/r"], ["--reports /dev/null/r", "Not a directory"]),
        (["run", "--resume", "nosuch"], ["no run 'nosuch' in results"]),
        (["report"], ["RUN"]),
        (["report", "nosuch"], ["no run 'nosuch' in results"]),
        (["list", "bakends"], ["'bakends'", "did you mean 'backends'?"]),
        (["conform"], ["target", "(see refreshbench conform --help)"]),
    ],
)
def test_wrong_use_is_one_line(cli: Cli, arguments: list[str], parts: list[str]) -> None:
    """It names what is wrong and what there is; no server is looked for."""
    assert_one_line(cli(*arguments), 2, *parts)


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"def make(:\n", "SyntaxError"),
        (b"\xff\xfe\x00", "can't be loaded"),
        (b"raise RuntimeError('no\\nluck')\n", "RuntimeError: no luck"),
        (b"import nosuchmodule\n", "nosuchmodule"),
        (b"other = 1\n", "has no 'make'"),
        (b"make = 1\n", "neither a Backend nor a callable"),
        (b"def make():\n    return 1\n", "not a store"),
        (b"def make(url):\n    pass\n", "asks for url"),
    ],
)
def test_a_factory_file_that_is_no_good_is_one_line(
    cli: Cli, tmp_path: Path, content: bytes, says: str
) -> None:
    """Whatever is wrong in it, and however many lines that error has."""
    (tmp_path / "mine.py").write_bytes(content)
    assert_one_line(cli("run", "-b", "mine.py:make"), 2, "mine.py", says)


def test_a_folder_in_place_of_a_factory_file_is_one_line(cli: Cli, tmp_path: Path) -> None:
    """A file that can't be read at all, for root as well."""
    (tmp_path / "mine.py").mkdir()
    assert_one_line(cli("run", "-b", "mine.py:make"), 2, "mine.py")


@pytest.mark.parametrize("verb", [["report"], ["run", "--resume"]])
@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("run.json", '{"format": 1}', "run.json is damaged"),
        ("run.json", f'{{"format": {FORMAT + 1}}}', f"this version reads up to {FORMAT}; upgrade"),
        ("trials.jsonl", "not json\n", "trials.jsonl:1 is damaged"),
    ],
)
def test_a_damaged_or_newer_run_is_one_line(
    cli: Cli, tmp_path: Path, verb: list[str], file: str, content: str, says: str
) -> None:
    """Neither reported nor gone on with."""
    records.write(tmp_path / "results" / "a", *records.example(["latency"]))
    (tmp_path / "results" / "a" / file).write_text(content)
    assert_one_line(cli(*verb, "a"), 2, says)


def test_a_full_results_folder_is_one_line(tmp_path: Path) -> None:
    """No room for a block: told before anything starts."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    told = subprocess.run(
        [sys.executable, "-c", f"{limited}from bench.cli import main\nmain(['run'])"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert_one_line(
        Said(told.returncode, told.stdout, told.stderr), 2, "--results results", "too large"
    )
