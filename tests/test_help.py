"""Help, completion, and whether the documents and the command line agree."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from bench.cli import app, main
from tests import records
from tests.cli import Cli, command

DOCS = Path(__file__).parents[1]


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
