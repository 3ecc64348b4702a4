"""Runs that are killed or told to end at any moment: nothing is left, and nothing is lost."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import guardian
from bench.run_folder import RunFolder

RUN = [
    *("run", "consistency", "durability", "-b", "redis", "-b", "memory", "--seed", "3"),
    "--set=consistency.instances=2",
    "--set=consistency.sightings=2",
    "--set=consistency.races=5",
    "--set=consistency.endings=1",
    "--set=consistency.mishap_races=1",
    "--set=durability.seconds=0.2",
    "--set=durability.sessions=20",
]
REFRESHBENCH = Path(sys.executable).with_name("refreshbench")
FAILOVER = [
    *("run", "failover", "--seed", "3"),
    "--set=failover.before_seconds=0.5",
    "--set=failover.rate=50",
]
SENTINEL, PAIR, TRIO = "redis:none@sentinel", "postgres:nofsync@replica-on", "mongo:w1@rs3"
LONGEST_SECONDS = 8.0
"""Into the run, from which moments are drawn: beyond the end of most of its trials."""
GONE_SECONDS = 20.0
"""A fork server that is at its imports ends after them: on a busy machine, that takes a while."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the installed command in a group of its own, as a terminal does.

    However it ends, nothing of it stays among the temporary files.
    """
    started: list[subprocess.Popen[str]] = []
    # Short, since the path of a socket has room for 107 bytes.
    temporary = Path(tempfile.mkdtemp(prefix="rb-"))

    def run(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            # Whoever runs the tests in the background has SIGINT ignored, and so all it starts.
            ["env", "--default-signal=INT", REFRESHBENCH, *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "REFRESHBENCH_SCRATCH": str(tmp_path / "scratch"),
                "TMPDIR": str(temporary),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
    deadline = time.monotonic() + GONE_SECONDS
    while (stayed := list(temporary.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(temporary)
    assert stayed == []


def left(scratch: Path, group: int) -> list[str]:
    """Name the processes that work in `scratch`, name it, or are of the command's group."""
    found = []
    for process in psutil.process_iter(["pid", "cwd", "cmdline", "status"]):
        here = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        try:
            ours = os.getpgid(process.pid) == group
        except ProcessLookupError:
            continue
        if process.info["status"] != psutil.STATUS_ZOMBIE and (
            ours or any(str(scratch) in word for word in here)
        ):
            found.append(f"{process.pid} {here}")
    return found


def disks(scratch: Path) -> list[str]:
    """Name the mounts and loop devices of the run."""
    backing = [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    return [
        *map(str, guardian.mounts(scratch)),
        *(file for file in backing if str(scratch) in file),
    ]


def assert_gone(scratch: Path, group: int) -> None:
    """No process, folder, mount or loop device of the run is left, soon."""
    deadline = time.monotonic() + GONE_SECONDS
    while remaining := [
        *left(scratch, group),
        *map(str, scratch.glob("runs/*")),
        *disks(scratch),
    ]:
        assert time.monotonic() < deadline, remaining
        time.sleep(0.05)


def assert_completed_once(start: Start, tmp_path: Path) -> None:
    """`--resume` keeps what was recorded, and ends with every planned trial once."""
    runs = list((tmp_path / "results").glob("*/run.json"))
    if not runs:
        return  # killed before there was anything to go on with
    folder = RunFolder(runs[0].parent)
    before = folder.trials()
    _, err = (process := start("run", "--resume", folder.path.name)).communicate()
    assert process.returncode == 0, err
    after = folder.trials()
    assert after[: len(before)] == before
    assert sorted(trial.id for trial in after) == sorted(trial.id for trial in folder.run().plan)
    assert {trial.status for trial in after} == {"ok"}


def assert_links_gone(made: set[str]) -> None:
    """No veth of the run's hosts is left, soon: the kernel removes it with its namespace."""
    deadline = time.monotonic() + GONE_SECONDS
    while stayed := made & links():
        assert time.monotonic() < deadline, stayed
        time.sleep(0.05)


def moments(count: int, name: str) -> list[float]:
    """Draw a moment from each of so many parts of the run, the same in every run of the tests."""
    drawn = random.Random(name)
    part = LONGEST_SECONDS / count
    return [round(part * (number + drawn.random()), 2) for number in range(count)]


SAMPLE = moments(4, "sample")
MANY = [pytest.param(moment, marks=pytest.mark.slow) for moment in moments(40, "many")]
SOME = MANY[::8]


@pytest.mark.server("redis")
@pytest.mark.parametrize("moment", [*SAMPLE, *MANY])
def test_a_run_killed_at_any_moment_is_completed(
    moment: float, start: Start, tmp_path: Path
) -> None:
    """SIGKILL of the command alone: what it started goes too, and no trial is lost or doubled."""
    process = start(*RUN)
    time.sleep(moment)
    process.kill()
    process.wait()
    assert_gone(tmp_path / "scratch", process.pid)
    assert_completed_once(start, tmp_path)


@pytest.mark.server("redis")
@pytest.mark.parametrize(
    ("number", "send", "trials"),
    [
        (signal.SIGTERM, os.killpg, 0),
        (signal.SIGINT, os.killpg, 2),
        (signal.SIGHUP, os.kill, 2),
        pytest.param(signal.SIGINT, os.killpg, 0, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, os.killpg, 2, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, os.kill, 2, marks=pytest.mark.slow),
    ],
)
def test_a_run_told_to_end_says_one_line_and_is_completed(
    number: signal.Signals,
    send: Callable[[int, int], None],
    trials: int,
    start: Start,
    tmp_path: Path,
) -> None:
    """To the whole group, as a terminal and timeout(1) do; workers and servers say nothing.

    Or to the command alone, which ends all the others.
    """
    process = start(*RUN)
    assert process.stderr is not None
    awaited = f"[{trials}/" if trials else "trials of"
    assert any(awaited in line for line in process.stderr)
    # Somewhere in the trial that follows, its workers just starting or at work.
    time.sleep(random.Random(f"{number}{trials}").uniform(0, 0.5))
    send(process.pid, number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    *progress, last = err.splitlines()
    assert all(line.startswith("[") for line in progress), err
    assert last.startswith("refreshbench: interrupted; go on with: refreshbench run --resume ")
    assert_gone(tmp_path / "scratch", process.pid)
    assert_completed_once(start, tmp_path)


def on_hosts(spec: str, *drawn: Any) -> list[Any]:
    """Give runs of a topology that are to be killed at moments of its trials."""
    server = pytest.mark.server(spec.partition(":")[0])
    return [pytest.param(spec, *one.values, marks=[server, *one.marks]) for one in drawn]


@pytest.mark.parametrize(
    ("spec", "moment"),
    [
        *on_hosts(SENTINEL, pytest.param(SAMPLE[2]), *MANY),
        *on_hosts(PAIR, pytest.param(SAMPLE[1]), *SOME),
        *on_hosts(TRIO, pytest.param(SAMPLE[3]), *SOME),
    ],
)
def test_a_run_on_several_hosts_leaves_none_of_them(
    spec: str, moment: float, start: Start, tmp_path: Path
) -> None:
    """SIGKILL of the command alone: nobody holds its namespaces, so bridges and veths are gone."""
    process = start(*FAILOVER, "-b", spec)
    assert process.stderr is not None
    assert any("trials of" in line for line in process.stderr)
    time.sleep(moment)
    namespaces, made = held_namespaces([process.pid]), links_to(process.pid)
    process.kill()
    process.wait()
    assert_gone(tmp_path / "scratch", process.pid)
    assert not namespaces & held_namespaces(psutil.pids())
    assert_links_gone(made)


@pytest.mark.server("redis")
def test_a_run_on_several_hosts_told_to_end_leaves_none_of_them(
    start: Start, tmp_path: Path
) -> None:
    """Ctrl-C once its hosts are there: no process, namespace or veth of them stays."""
    process = start(*FAILOVER, "-b", SENTINEL)
    assert process.stderr is not None
    assert any("trials of" in line for line in process.stderr)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not links_to(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(SAMPLE[1])
    namespaces, made = held_namespaces([process.pid]), links_to(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert_gone(tmp_path / "scratch", process.pid)
    assert not namespaces & held_namespaces(psutil.pids())
    assert_links_gone(made)


def links() -> set[str]:
    """Name the network interfaces that this host sees."""
    return {path.name for path in Path("/sys/class/net").iterdir()}


def links_to(pid: int) -> set[str]:
    """Name those of them that lead to a bridge of a process: other runs have theirs."""
    ends = set()
    for number in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(number.readlink()).startswith("net:"):
                asked = [*("nsenter", f"--net={number}", "--"), *("ip", "-o", "link", "show")]
                said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
                ends.update(re.findall(r": here@if(\d+):", said))
    return {
        path.parent.name
        for path in Path("/sys/class/net").glob("*/ifindex")
        if path.read_text().strip() in ends
    }


def held_namespaces(pids: Iterable[int]) -> set[str]:
    """Name the network namespaces that processes hold by a descriptor, or live in."""
    found = set()
    for pid in pids:
        for link in [*Path(f"/proc/{pid}/fd").glob("*"), Path(f"/proc/{pid}/ns/net")]:
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return {name for name in found if name.startswith("net:")} - {
        str(Path("/proc/self/ns/net").readlink())
    }
