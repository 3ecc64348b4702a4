"""The example package works as somebody else's would: installed, named, held to the contract."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "refreshbench-lmdb"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Lay the package out as pip would, entry point included, and give the environment to use it.

    Without pip, since building needs a network: a wheel is this folder and this file.
    """
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE / "src" / "refreshbench_lmdb", site / "refreshbench_lmdb")
    metadata = site / "refreshbench_lmdb-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: refreshbench-lmdb\nVersion: 0\n"
    )
    lines = (EXAMPLE / "pyproject.toml").read_text().splitlines()
    [entry] = [line for line in lines if line.startswith("lmdb = ")]
    (metadata / "entry_points.txt").write_text(
        f"[refreshbench.backends]\n{entry.replace(chr(34), '')}\n"
    )
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


CLI = "import sys; from bench.cli import main; main(sys.argv[1:])"


def refreshbench(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLI, *arguments],
        env=environment,
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_it_is_listed_beside_ours(installed: dict[str, str]) -> None:
    """No change to our code: the entry point is enough."""
    done = refreshbench(installed, "list", "backends")
    assert done.returncode == 0, done.stderr
    assert "lmdb" in done.stdout


def test_it_conforms(installed: dict[str, str]) -> None:
    """Both profiles, by the command."""
    for subject in ("lmdb", "lmdb:nosync"):
        done = refreshbench(installed, "conform", subject, "--effort", "quick")
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_contract_test_is_collected_and_passes(installed: dict[str, str]) -> None:
    """The class that ships makes one test a property of each profile."""
    options = ("-q", "-p", "no:cacheprovider", "-k", "1 or 2")
    done = run(installed, "pytest", *options, "tests/test_contract.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
