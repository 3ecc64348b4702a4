"""docs/adding-a-store.md is run as it stands: its files, its commands, its test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "adding-a-store.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLI = "import sys; from bench.cli import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save each Python block under the name in its first line."""
    path = tmp_path_factory.mktemp("newcomer")
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "python":
            name = text.splitlines()[0].removeprefix("# ")
            (path / name).write_text(text, encoding="utf-8")
    return path


def commands() -> list[list[str]]:
    found = []
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "console":
            found += [line.split()[2:] for line in text.splitlines() if line.startswith("$ ")]
    return found


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_store_passes_and_the_careless_one_does_not(folder: Path) -> None:
    """The page's two commands end as the page says."""
    passes, fails = commands()
    done = run(folder, "-c", CLI, *passes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "declared" in done.stdout
    done = run(folder, "-c", CLI, *fails)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "violated" in done.stdout


def test_the_pages_own_test_passes(folder: Path) -> None:
    """Three lines make a test a property; two of them are run here."""
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "1 or 7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
