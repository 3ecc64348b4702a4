"""docs/adding-a-store.md is run as it stands: its files, its commands, its test."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "adding-a-store.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save each Python block to the file in its first line, or add it "at its end"."""
    path = tmp_path_factory.mktemp("newcomer")
    files: defaultdict[str, list[str]] = defaultdict(list)
    for text in blocks("python"):
        name, _, where = text.splitlines()[0].removeprefix("# ").partition(", ")
        assert bool(files[name]) == (where == "at its end"), name
        files[name].append(text)
    for name, texts in files.items():
        (path / name).write_text("\n\n".join(texts), encoding="utf-8")
    return path


def run(folder: Path, *extra: str, command: str) -> subprocess.CompletedProcess[str]:
    # The environment's own programs, and no more on Python's path than a newcomer has.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [*command.split(), *extra],
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_each_command_ends_as_the_page_says(folder: Path) -> None:
    """The small store passes, the careless one is caught, the whole one declares less."""
    small, careless, whole, test = [text.removeprefix("$ ") for text in blocks("console")]
    done = run(folder, command=small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("not written yet") == 6
    done = run(folder, command=careless)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "violated" in done.stdout
    done = run(folder, command=whole)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not written yet" not in done.stdout
    assert not (folder / ".hypothesis").exists(), "a check leaves something where it was asked for"
    # Two properties show that each is a test; the command before has been through all of them.
    done = run(folder, "-p", "no:cacheprovider", "-k", "trip or neighbours", command=test)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_entry_point_is_the_examples(folder: Path) -> None:
    """What the page shows of a package is what the example has, which another test installs."""
    [entry] = blocks("toml")
    assert entry in (ROOT / "examples" / "refreshbench-lmdb" / "pyproject.toml").read_text()
