"""Faults: each really happens, ends when it is healed, and says so where it didn't happen."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import get_args

import pytest

import backends
from backends.store import Place, Policy
from bench import faults, phases
from bench.errors import Failed
from bench.faults import Lack
from bench.faults.fault import Site
from bench.faults.pause import stopped
from bench.phases.stage import Stage
from bench.plan import facts, left_out, plan
from bench.report import formats
from bench.volume import ThinVolume, Volume
from bench.workspace import Workspace
from scenarios import durability
from scenarios.durability import DurabilityFindings, DurabilityParameters
from scenarios.phases.disturb import Disturb, FaultName
from scenarios.phases.workload import Workload

Suffer = Callable[[str, FaultName], DurabilityFindings]


@pytest.fixture
def suffer(workspace: Workspace) -> Iterator[Suffer]:
    """Put a fault to a store in the application, on a disk of its own where it needs one."""
    with contextlib.ExitStack() as ends:

        def run(spec: str, name: FaultName) -> DurabilityFindings:
            needs = faults.load(name).needs
            place, volume = workspace.folder("store"), None
            if needs and (lack := faults.lacking([name], workspace.folder("able"))):
                pytest.skip(f"not measured: {lack[name].reason}")
            if needs:
                make = ThinVolume if needs == "thin volume" else Volume
                volume = make(workspace.folder("home"), place)
                ends.callback(volume.close)
            subject = backends.resolve(spec)
            subject.prepare(Place(place))
            with Stage(
                subject=subject,
                place=Place(place),
                policy=Policy(),
                server=None,
                seed=5,
                scratch=workspace.folder("histories"),
                volume=volume,
            ) as stage:
                return durability.judge([phases.execute(disturb(name), stage)])

        yield run


def disturb(fault: FaultName) -> Disturb:
    return Disturb(
        fault=fault,
        workload=Workload(mix={"issue": 2, "rotate": 6, "revoke": 2}, sessions=8),
        instances=2,
        connections=4,
        seconds=0.4,
        outage_seconds=1.0,
        rate=500,
    )


def test_a_power_cut_takes_from_files_what_a_crash_leaves_them(suffer: Suffer) -> None:
    """Without fsync: nothing is lost with the process, and much with the power."""
    crashed, cut = suffer("files:nofsync", "crash"), suffer("files:nofsync", "powercut")
    assert crashed.lost_writes == 0
    assert cut.lost_writes > 0
    assert cut.came_back == "restarted"


def test_a_pause_loses_nothing_and_ends(suffer: Suffer) -> None:
    """Also for a store in the process that is paused; writes go on after it."""
    found = suffer("memory", "pause")
    assert (found.lost_writes, found.came_back) == (0, "by itself")
    assert found.recovery_ns is not None
    assert found.recovery_ns > 0.5e9


def test_a_full_disk_refuses_writes_and_loses_none(suffer: Suffer) -> None:
    """What is refused is known not to be done, and the store goes on once there is room."""
    found = suffer("files:fsync", "disk-full")
    assert found.refused > 0
    assert (found.lost_writes, found.torn, found.came_back) == (0, 0, "by itself")


def test_a_slow_disk_delays_and_loses_nothing(suffer: Suffer) -> None:
    """Stalls are waited out."""
    found = suffer("sqlite:wal-full", "slow-disk")
    assert (found.lost_writes, found.came_back, found.integrity) == (0, "by itself", None)


def test_a_failing_device_takes_nothing_that_was_synced(suffer: Suffer) -> None:
    """Every fsync that failed was an error to its client."""
    found = suffer("sqlite:wal-full", "io-error")
    assert found.refused + found.unanswered > 0
    assert (found.lost_writes, found.integrity) == (0, None)


def test_stopped_means_that_nothing_runs() -> None:
    """No thread of it is in user space until the block ends; then it goes on."""
    busy = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(busy) as process:
        with stopped([process.pid]):
            before = _ticks(process.pid)
            time.sleep(0.1)
            assert _ticks(process.pid) == before
        deadline = time.monotonic() + 5
        while _ticks(process.pid) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()


def test_a_process_that_runs_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut under a process that runs on would let it answer from the dead."""
    monkeypatch.setattr("bench.faults.pause._STOP_SECONDS", 0.05)
    monkeypatch.setattr("bench.faults.pause._stands_still", lambda _: False)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            with pytest.raises(Failed, match="run on"), stopped([process.pid]):
                pass
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["powercut", "disk-full", "slow-disk", "io-error", "lost-reply"])
def test_a_fault_that_lacks_what_it_needs_fails(name: str) -> None:
    """It never passes for one that struck."""
    site = Site(server=None, crew=[], volume=None, proxy=None, rng=Random(1))
    with pytest.raises(Failed, match="this fault needs"), faults.load(name).inflict(site):
        pass


def test_a_slow_disk_that_is_not_slow_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its check is a write of its own, timed."""

    class Quick:
        frozen = staticmethod(contextlib.nullcontext)

        @staticmethod
        def write_error() -> None:
            time.sleep(0.001)

    monkeypatch.setattr(Site, "disk", lambda _: Quick())
    site = Site(server=None, crew=[], volume=None, proxy=None, rng=Random(1))
    slow = faults.load("slow-disk")
    with pytest.raises(Failed, match="took what was written at once"), slow.inflict(site):
        pass


def test_every_fault_is_registered_named_and_explained() -> None:
    """What a scenario may ask for is there, has words in reports, and a row in docs/method.md."""
    assert set(faults.MODULES) == set(get_args(FaultName)) == set(formats.FAULTS)
    method = (Path(__file__).parents[1] / "docs" / "method.md").read_text(encoding="utf-8")
    for name, _, _ in formats.FAULTS.values():
        assert f"\n| {name} | " in method


def test_what_a_machine_cannot_do_is_not_planned_and_said() -> None:
    """Not measured, with the reason and the mend: never a pass."""
    subjects = [backends.resolve("memory")]
    described = facts(subjects, control=False)
    parameters = DurabilityParameters(trials=1, faults=("crash", "powercut", "lost-reply"))
    asked = [(durability.SCENARIO, parameters)]
    lacking = {"powercut": Lack("no loop device", "be root")}
    planned = plan(asked, subjects, described, 1, (), lacking)
    assert [trial.case for trial in planned] == ["crash"]
    cut, reply = left_out(asked, subjects, described, (), lacking)
    assert (cut.spec, cut.reason, cut.mend) == (
        "powercut in durability", "no loop device", "be root",
    )  # fmt: skip
    assert "no connection" in reply.reason


def _ticks(pid: int) -> list[str]:
    """User and system time of a process (proc(5): stat, fields 14 and 15)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[11:13]
