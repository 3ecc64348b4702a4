"""The example package works as somebody else's would: installed, named, held to the contract."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "refreshbench-lmdb"
TOGETHER = ("-b", "lmdb", "-b", "memory")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build the package and install it, apart from us; give the environment that has it too."""
    site = tmp_path_factory.mktemp("site")
    # Its dependencies are here, and so is what builds it: no network is needed.
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site))
    done = run(dict(os.environ), "pip", "install", *options, str(EXAMPLE))
    assert done.returncode == 0, done.stdout + done.stderr
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def refreshbench(environment: dict[str, str], *arguments: str) -> str:
    program = Path(sys.executable).parent / "refreshbench"
    done = subprocess.run(
        [program, *arguments],
        env=environment,
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_listed_beside_ours(installed: dict[str, str]) -> None:
    """No change to our code: the entry point is enough."""
    assert "lmdb:nosync" in refreshbench(installed, "list", "backends")


def test_it_conforms(installed: dict[str, str]) -> None:
    """Both profiles, by the command."""
    for subject in ("lmdb", "lmdb:nosync"):
        assert "no violation" in refreshbench(installed, "conform", subject, "--effort", "quick")


def test_its_own_contract_test_is_collected_and_passes(installed: dict[str, str]) -> None:
    """The class that ships makes one test a property of each profile."""
    options = ("-q", "-p", "no:cacheprovider", "-k", "trip or neighbours")
    done = run(installed, "pytest", *options, "tests/test_contract.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
