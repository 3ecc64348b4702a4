"""Commands that run nothing: list, doctor, clean, report."""

from pathlib import Path

import psutil
import pytest

import scenarios
from bench import listing, servers, subjects
from bench.plan import DEFAULT_SUBJECTS
from tests import records
from tests.cli import Cli, assert_one_line


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


def test_doctor_without_a_place_to_write_is_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, and what to set."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", "/proc/nowhere")
    assert_one_line(cli("doctor"), 3, "can't write /proc/nowhere", "set REFRESHBENCH_SCRATCH")


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
