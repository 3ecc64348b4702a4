"""The example package works as somebody else's would: installed, named, held to the contract."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import scenarios

EXAMPLE = Path(__file__).parent.parent / "examples" / "refreshbench-lmdb"
SMALL = {
    "latency.trials": "1",
    "latency.connections": "1",
    "latency.seconds": "0.05",
    "latency.warmup_seconds": "0.01",
    "latency.sessions": "50",
    "durability.seconds": "0.3",
    "durability.sessions": "20",
    "consistency.instances": "2",
    "consistency.sightings": "5",
    "consistency.races": "20",
    "consistency.endings": "5",
    "consistency.mishap_races": "5",
    "balancer.users": "10",
    "load.trials": "1",
    "load.shares": "0.5",
    "load.searches": "0",
    "load.least_operations": "50",
    "load.sessions": "50",
    "scale.sessions": "100,1000",
    "soak.seconds": "2",
    "soak.sessions": "100",
}


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


def test_it_runs_in_every_scenario_and_is_in_the_report_beside_ours(
    installed: dict[str, str], tmp_path: Path
) -> None:
    """Every scenario that a single store can have; figures, comparison and page all have it."""
    named = [name for name in scenarios.names() if not scenarios.load(name).subjects]
    sets = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    where = ("--results", str(tmp_path / "results"), "--reports", str(tmp_path / "reports"))
    said = refreshbench(
        installed, "run", *named, "-b", "lmdb", "-b", "memory", *sets, *where, "--json"
    )
    document = json.loads(said)
    assert (document["status"], document["skipped"]) == ("ok", [])
    page = Path(document["report"])
    with (page.parent / "figures.csv").open(newline="", encoding="utf-8") as file:
        seen = {(row["scenario"], row["label"]) for row in csv.DictReader(file)}
    ours_and_theirs = ("lmdb:sync", "memory:process")
    assert {(name, who) for name in named for who in ours_and_theirs} <= seen
    for file_name in ("index.html", "comparison.md", "comparison.csv"):
        text = (page.parent / file_name).read_text(encoding="utf-8")
        assert all(who in text for who in ours_and_theirs), file_name
