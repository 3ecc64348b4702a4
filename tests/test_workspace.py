"""A run's scratch folder, and that nothing of a run outlives it, however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench import guardian, servers
from bench.errors import Missing
from bench.workspace import Workspace, clean

# Starts a server of each kind that is there, one with a child of its own, and says what it made.
RUN = """
import json, os, signal, subprocess, sys, time
from bench import guardian, servers
from bench.servers.server import Found
from bench.workspace import Workspace
signal.signal(signal.SIGINT, signal.default_int_handler)
with Workspace() as run:
    worker = subprocess.Popen(["sleep", "600"])
    run.adopt(worker.pid)
    mains, pids = [worker.pid], [worker.pid]
    for kind in servers.KINDS:
        found = servers.find(kind)
        if isinstance(found, Found):
            server = servers.start(found, run.folder(kind), {})
            mains.append(server._child.pid)
            pids += server.pids()
    print(json.dumps([str(run.path), mains, pids, run._guardian.pid]), flush=True)
    time.sleep(600)
"""
WITHIN_SECONDS = 20.0
"""The promise is 5 s; a machine busy with other tests takes longer to remove a cluster."""


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the runs of a test apart from any other."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


@contextmanager
def running() -> Iterator[SimpleNamespace]:
    """Give a run in a process of its own, its servers up."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        path, mains, pids, watcher = json.loads(process.stdout.readline())
        # PostgreSQL's helpers come and go; what was started by the run stays.
        yield SimpleNamespace(
            process=process, path=Path(path), mains=mains, pids=pids, guardian=watcher
        )
    finally:
        process.kill()
        process.communicate()


def alive(pids: list[int]) -> list[int]:
    """Give those that run; a zombie waits for its parent alone."""
    return [pid for pid in pids if guardian.start_ticks(pid) is not None]


def soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_a_run(how: signal.Signals, scratch: Path) -> None:
    """Its servers, their children and its folder are soon gone, even after SIGKILL."""
    with running() as run:
        assert len(alive(run.pids)) > len(servers.KINDS)
        run.process.send_signal(how)
        run.process.wait(WITHIN_SECONDS)
        assert soon(lambda: not alive(run.pids)), alive(run.pids)
        assert soon(lambda: not alive([run.guardian]))
        assert soon(lambda: not list((scratch / "runs").iterdir()))


def test_ctrl_c_reaches_the_runner_alone(scratch: Path) -> None:
    """No server may go before the runner knows; and the guardian goes last, whoever signals it."""
    with running() as run:
        group = os.getpgid(run.process.pid)
        assert group == run.process.pid
        worker, *of_servers = run.mains
        assert os.getpgid(worker) == group
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(run.guardian, number)
        assert group not in {os.getpgid(pid) for pid in [*of_servers, run.guardian]}
        assert alive([run.guardian])


def test_a_guardian_that_is_killed_leaves_it_to_clean(scratch: Path) -> None:
    """`clean` ends what a dead run left and says so; what is a live run's, it doesn't touch."""
    with running() as dead, running() as live:
        os.kill(dead.guardian, signal.SIGKILL)
        dead.process.kill()
        dead.process.wait()
        worker, *of_servers = dead.mains
        assert soon(lambda: not alive(of_servers)), "a server dies with its parent"
        assert alive([worker])
        assert dead.path.exists()
        [said] = clean()
        assert str(dead.path) in said
        assert str(worker) in said
        assert not dead.path.exists()
        assert not alive([worker])
        assert alive(live.mains) == live.mains
        assert live.path.exists()
        assert clean() == []


def test_clean_removes_cached_clusters_when_no_run_lives(scratch: Path) -> None:
    """They are only a cache: the next PostgreSQL makes its own again."""
    (scratch / "templates" / "old").mkdir(parents=True)
    with Workspace():
        assert clean() == []
    [said] = clean()
    assert "templates" in said
    assert clean() == []


def test_clean_spares_what_only_happens_to_be_there(scratch: Path) -> None:
    """A shell in a dead run's folder, and a recycled pid, are no processes of the run."""
    run = scratch / "runs" / "0badc0de"
    run.mkdir(parents=True)
    run.with_suffix(".lock").touch()
    shell = subprocess.Popen(["sleep", "600"], cwd=run)
    recycled = subprocess.Popen(["sleep", "600"])
    ours = subprocess.Popen(["sleep", "600"])
    try:
        guardian.note_process(run, recycled.pid)
        ledger = run / guardian.LEDGER
        entry = json.loads(ledger.read_text())
        ledger.write_text(json.dumps({**entry, "ticks": entry["ticks"] - 1}) + "\n")
        guardian.note_process(run, ours.pid)
        with ledger.open("a") as file:
            file.write('{"pid": 1')  # cut short by a kill
        assert guardian.members(run) == [ours.pid]
        clean()
        assert not run.exists()
        assert alive([shell.pid, recycled.pid]) == [shell.pid, recycled.pid]
        assert not alive([ours.pid])
    finally:
        for process in (shell, recycled, ours):
            process.kill()
            process.wait()


def test_a_server_that_left_its_session_is_found_by_program_and_place(scratch: Path) -> None:
    """Children of a killed server have no parent to be known by, only their folder."""
    with Workspace() as run:
        folder = run.folder("orphans")
        program = Path(subprocess.check_output(["which", "sleep"], text=True).strip())
        guardian.note_process(folder, 2**22 + 1, program)
        subprocess.run(["setsid", "--fork", "sleep", "600"], cwd=folder, check=True)
        assert soon(lambda: len(guardian.members(folder)) == 1)
        [orphan] = guardian.members(folder)
        guardian.kill(folder)
        assert not alive([orphan])


def test_a_kill_stops_every_process_before_it_ends_one(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one could write out, or answer, while the others die."""
    sent: list[tuple[int, int]] = []
    send = os.kill

    def noting(pid: int, number: int) -> None:
        sent.append((number, pid))
        send(pid, number)

    with Workspace() as run:
        folder = run.folder("two")
        both = [subprocess.Popen(["sleep", "600"]) for _ in range(2)]
        for process in both:
            guardian.note_process(folder, process.pid)
        monkeypatch.setattr(os, "kill", noting)
        guardian.kill(folder)
        pids = [process.pid for process in both]
        assert set(sent[:2]) == {(signal.SIGSTOP, pid) for pid in pids}
        assert set(sent[2:]) == {(signal.SIGKILL, pid) for pid in pids}
        assert [process.wait() for process in both] == [-signal.SIGKILL] * 2


def test_a_stopped_process_whose_parent_dies_by_itself_is_killed_too(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to nobody any more, and would stay stopped for ever."""
    with Workspace() as run:
        folder = run.folder("parent")
        parent = subprocess.Popen(["sh", "-c", "sleep 600 & wait"])
        guardian.note_process(folder, parent.pid)
        assert soon(lambda: len(guardian.members(folder)) == 2)
        [child] = set(guardian.members(folder)) - {parent.pid}
        send = os.kill

        def meanwhile(pid: int, number: int) -> None:
            send(pid, number)
            if pid == child and number == signal.SIGSTOP:
                parent.kill()
                parent.wait()

        monkeypatch.setattr(os, "kill", meanwhile)
        guardian.kill(folder)
        assert not alive([child])


def test_runs_and_folders_never_collide(scratch: Path) -> None:
    """Several runs at once, and several folders of one name, are each their own and empty."""
    with Workspace() as one, Workspace() as other:
        folders = [one.folder("redis/8"), one.folder("redis/8"), other.folder("redis/8")]
        assert len(set(folders)) == 3
        assert [list(folder.iterdir()) for folder in folders] == [[], [], []]
    assert not one.path.exists()
    assert list((scratch / "runs").iterdir()) == []


def test_a_forked_child_does_not_keep_a_run_alive(scratch: Path) -> None:
    """It inherits the guardian's pipe; the guardian watches the owner itself."""
    program = RUN.replace("    time.sleep(600)", "    os.fork(); time.sleep(600)")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    path, _, pids, _ = json.loads(process.stdout.readline())
    [child] = _children_named(process.pid, sys.executable)
    process.kill()
    process.wait()
    try:
        assert alive([child])
        assert soon(lambda: not alive(pids) and not Path(path).exists())
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def _children_named(pid: int, program: str) -> list[int]:
    def found() -> list[int]:
        forks = psutil.Process(pid).children()
        return [fork.pid for fork in forks if fork.cmdline()[:2] == [program, "-c"]]

    assert soon(lambda: bool(found()))
    return found()


def test_an_unwritable_scratch_folder_is_told_with_its_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the way, since root may write anywhere."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path / "file"))
    with pytest.raises(Missing, match="set REFRESHBENCH_SCRATCH"), Workspace():
        pass
