"""The command line: what users type, and what they get, right or wrong."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer

import scenarios
from bench import listing, running, servers, subjects
from bench.cli import app, main
from bench.options import RunOptions
from bench.plan import DEFAULT_SUBJECTS
from bench.record import FORMAT, Run, RunFolder
from tests import records

DOCS = Path(__file__).parents[1]
TINY = [
    "--set=consistency.instances=2",
    "--set=consistency.sightings=1",
    "--set=consistency.races=1",
    "--set=consistency.endings=1",
    "--set=consistency.mishap_races=1",
]


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run


def command(*arguments: str, cwd: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start the installed command as its user does."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("refreshbench"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever looks for a server, or makes a place for one."""

    def never(*_: object) -> None:
        raise AssertionError("reached the servers")

    monkeypatch.setattr(servers, "find", never)
    monkeypatch.setattr(running, "Workspace", never)


def assert_one_line(said: Said, code: int, *parts: str) -> None:
    """An error is one line on stderr, names all of `parts`, and leaves stdout alone."""
    assert (said.code, said.out) == (code, "")
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("refreshbench: ")
    for part in parts:
        assert part in said.err


# --- help, completion, documentation ---


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_help_lists_every_command_and_teaches_by_example(cli: Cli) -> None:
    """-h and --help are the same; each command's own help has examples too."""
    said = cli("--help")
    assert said.code == 0
    assert said == cli("-h")
    for name in commands():
        assert f"│ {name} " in said.out
    for name in set(commands()) - {"clean"}:
        shown = cli(name, "-h")
        assert shown.code == 0
        assert shown.out.count(f"refreshbench {name}") > 1, name


def test_help_waits_for_no_driver(tmp_path: Path) -> None:
    """Neither numpy nor a driver is imported to show help, to complete, or to be mistyped."""
    heavy = ["numpy", "pandas", "matplotlib", "scipy", "sqlalchemy", "pymongo", "psycopg", "redis"]
    for arguments in (["--help"], ["run", "--help"], ["doctor", "-h"], ["rnu"], ["run", "--x"]):
        code = (
            "import sys\nfrom bench.cli import main\n"
            f"try:\n    main({arguments})\n"
            f"except SystemExit:\n    print([m for m in {heavy} if m in sys.modules])"
        )
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert told.stdout.splitlines()[-1] == "[]", arguments


def test_every_command_and_option_is_documented() -> None:
    """An option that docs/command-line.md or the README doesn't name isn't done."""
    text = "".join(
        (DOCS / name).read_text(encoding="utf-8") for name in ("README.md", "docs/command-line.md")
    )
    for name, one in commands().items():
        assert f"refreshbench {name}" in text
        section = text.partition(f"## refreshbench {name}\n")[2].partition("\n## ")[0]
        for parameter in one.params:
            names = [*parameter.opts, *parameter.secondary_opts]
            for option in (option for option in names if option.startswith("-")):
                assert option in section, f"{name} {option}"


def test_every_option_in_the_documents_exists() -> None:
    """What docs/command-line.md promises, the command takes."""
    text = (DOCS / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, one in commands().items():
        usage = text.partition(f"    refreshbench {name} ")[2].partition("\n")[0]
        known = {option for parameter in one.params for option in parameter.opts}
        promised = {word.strip("[]") for word in usage.split() if word.strip("[").startswith("--")}
        assert promised <= known, name


POSTGRES_TOO = ("postgres-sqlalchemy", "postgres-psycopg", "postgres-naive")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("run la", ["latency"]),
        ("run -b postgres", ["postgres", *POSTGRES_TOO]),
        ("run -b sqlite:wal", ["sqlite:wal-full", "sqlite:wal-normal"]),
        ("run -b nosuch:", []),
        ("run --effort ", ["quick", "standard", "thorough"]),
        ("run --servers u", ["url"]),
        ("run --resume ", ["20260314T092653Z-quick"]),
        ("report 2026", ["20260314T092653Z-quick"]),
        ("list s", ["scenarios", "servers"]),
    ],
)
def test_the_shell_completes_our_arguments(typed: str, offered: list[str], tmp_path: Path) -> None:
    """Scenarios, subjects and their profiles, efforts, ways, runs."""
    records.write(tmp_path / "results" / "20260314T092653Z-quick", *records.example(["latency"]))
    *before, last = typed.split(" ")
    asked = {
        "_REFRESHBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": f"refreshbench {typed}",
        "COMP_CWORD": str(len([*before, last])),
    }
    process = command(cwd=tmp_path, **asked)
    assert process.communicate()[0].split() == offered


def test_the_installed_command_is_this_one() -> None:
    """The entry point of the package is `main`."""
    [entry] = importlib.metadata.entry_points(group="console_scripts", name="refreshbench")
    assert entry.load() is main


# --- wrong use: one line, exit code 2, before anything starts ---


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["rnu"], ["No such command 'rnu'", "run"]),
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
        (["conform"], ["target"]),
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


# --- what is missing: exit code 3, with the mend ---


@pytest.fixture
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no server at all."""
    monkeypatch.setattr(servers, "WAYS", {"url": servers.WAYS["url"]})
    for kind in servers.KINDS:
        monkeypatch.delenv(f"REFRESHBENCH_{kind.upper()}_URL", raising=False)


def test_a_store_asked_for_by_name_that_cannot_run_is_an_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, and the line says what would bring it."""
    monkeypatch.delenv("REFRESHBENCH_REDIS_URL", raising=False)
    said = cli("run", "-b", "memory", "-b", "redis", "--servers", "url")
    assert_one_line(said, 3, "redis:aof-everysec can't run here", "set REFRESHBENCH_REDIS_URL")


@pytest.mark.usefixtures("no_servers")
def test_a_store_that_was_not_asked_for_is_skipped_with_its_mend() -> None:
    """The default comparison goes on with what is here, in the same order."""
    chosen = subjects.available(DEFAULT_SUBJECTS, "auto")
    assert [subject.spec for subject in chosen.subjects] == [
        "memory:process", "files:fsync", "files:nofsync", "sqlite:wal-full", "cookie:signed",
    ]  # fmt: skip
    assert {skipped.spec.partition(":")[0] for skipped in chosen.skipped} == {
        "redis", "postgres", "postgres-sqlalchemy", "mongo",
    }  # fmt: skip
    assert all("_URL" in skipped.mend for skipped in chosen.skipped)
    assert chosen.servers == {}


@pytest.mark.usefixtures("no_servers")
def test_doctor_names_what_is_missing_and_the_mend(cli: Cli) -> None:
    """Exit code 3 as long as the default comparison can't run wholly."""
    said = cli("doctor")
    assert said.code == 3
    assert "5 of 13 subjects of the default comparison run here." in said.out
    assert "redis:none: REFRESHBENCH_REDIS_URL isn't set; set REFRESHBENCH_REDIS_URL" in said.out
    found = cli("doctor", "--json").json()
    assert len(found["missing"]) == 8
    assert not any(row["works"] for row in found["servers"])


# --- list, doctor, clean, report ---


def test_list_names_every_backend_scenario_and_server(cli: Cli) -> None:
    """As a table, a row a line, and as JSON."""
    tables = cli("list")
    assert tables.code == 0
    found = cli("list", "--json").json()
    assert list(found) == ["backends", "scenarios", "servers"]
    for backend in found["backends"]:
        assert sum(profile["default"] for profile in backend["profiles"]) == 1
        for profile in backend["profiles"]:
            subject = f"{backend['name']}:{profile['name']}"
            [row] = [line for line in tables.out.splitlines() if f" {subject} " in line]
            assert profile["keeps_writes_through"] in row
            assert (row.split()[1] == "default") == profile["default"]
        for topology in backend["topologies"]:
            assert f" {backend['name']}@{topology['name']} " in tables.out
    assert [row["name"] for row in found["scenarios"]] == list(scenarios.names())
    assert {row["kind"] for row in found["servers"]} == set(servers.KINDS)


def test_list_takes_one_of_the_three(cli: Cli) -> None:
    """And then shows that alone."""
    assert list(cli("list", "scenarios", "--json").json()) == ["scenarios"]
    said = cli("list", "scenarios")
    assert "latency.connections" in said.out
    assert "redis" not in said.out


def test_every_parameter_says_what_it_means() -> None:
    """What --set may change is explained where it is listed."""
    for row in listing.scenario_rows():
        for key, parameter in row.parameters.items():
            assert parameter.meaning, f"{row.name}.{key}"


def test_doctor_says_what_runs_here(cli: Cli) -> None:
    """Every subject of the default comparison either runs or is missing; the machine is shown."""
    said = cli("doctor", "--json")
    found = said.json()
    assert len(found["subjects"]) + len(found["missing"]) == len(DEFAULT_SUBJECTS)
    assert said.code == (3 if found["missing"] else 0)
    assert found["environment"]["cpu"]["cores"] == psutil.cpu_count()


def test_clean_says_what_it_removed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing at first; then what a dead run left."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path / "scratch"))
    assert cli("clean").out == "nothing to remove\n"
    (tmp_path / "scratch" / "runs" / "dead").mkdir(parents=True)
    (tmp_path / "scratch" / "runs" / "dead.lock").touch()
    [removed] = cli("clean", "--json").json()["removed"]
    assert "dead" in removed
    assert not (tmp_path / "scratch" / "runs" / "dead").exists()


def test_a_run_is_reported_again_from_its_records_alone(cli: Cli, tmp_path: Path) -> None:
    """By name or path, several at once; with --json every figure."""
    for name in ("a", "b"):
        records.write(tmp_path / "results" / name, *records.example(["durability"]))
    said = cli("report", "a", str(tmp_path / "results" / "b"), "--reports", "out")
    assert said.code == 0
    pages = [tmp_path / "out" / name / "index.html" for name in ("a", "b")]
    assert said.out == "".join(f"report: {page}\n" for page in pages)
    assert all(page.stat().st_size for page in pages)
    [written] = cli("report", "a", "--json").json()["reports"]
    assert written["report"] == str(tmp_path / "reports" / "a" / "index.html")
    assert written["figures"]["faults"]


# --- run ---


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


# --- resume ---


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
        "import sys, time; from pathlib import Path; from bench.record import RunFolder\n"
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
