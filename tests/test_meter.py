"""What a server costs, read from outside."""

import errno
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench import fsyncs, meter, traffic
from bench.servers.server import Server
from scenarios import latency
from scenarios.scenario import Effort

BUSY = "import time\nprint('up', flush=True)\nwhile time.process_time() < 30: pass"


def busy() -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        process.kill()
        process.communicate()


def test_cpu_is_counted_over_processes_that_come_and_go() -> None:
    """A helper that ends takes nothing off what the others spent; one that comes is counted."""
    stays, goes = busy(), busy()
    # What it used before must be more than the other can use meanwhile.
    while meter.cpu_ns([goes.pid])[goes.pid] < 300_000_000:
        time.sleep(0.01)
    before = meter.cpu_ns([stays.pid, goes.pid])
    comes = busy()
    end(goes)
    after = meter.cpu_ns([stays.pid, goes.pid, comes.pid])
    end(stays, comes)
    assert set(after) == {stays.pid, comes.pid}
    assert (
        meter.spent_between(before, after)
        == after[stays.pid] - before[stays.pid] + after[comes.pid]
    )


def test_memory_of_a_process_that_has_ended_is_none() -> None:
    """A reading may come too late, and then says nothing."""
    process = busy()
    assert meter.memory_bytes([process.pid]) > 1_000_000
    end(process)
    assert meter.memory_bytes([process.pid]) == 0
    assert meter.cpu_ns([process.pid]) == {}


THREADS_AND_A_CHILD = """
import os, sys, threading, time
def burn(seconds, spent=time.thread_time):
    while spent() < seconds: pass
threads = [threading.Thread(target=burn, args=[0.2]) for _ in range(3)]
sys.stdin.readline()
for thread in threads: thread.start()
child = os.fork()
if not child:
    burn(0.4, time.process_time)
for thread in threads if child else []: thread.join()
print(os.getpid(), time.process_time_ns(), flush=True)
sys.stdin.read()
"""


def test_a_known_second_of_cpu_is_read_back() -> None:
    """Three threads burn 0.2 s each, ended when it is read, and a child 0.4 s: within 5%."""
    with subprocess.Popen(
        [sys.executable, "-c", THREADS_AND_A_CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        here = psutil.Process(process.pid)
        with meter.metered(
            lambda: [here.pid, *(child.pid for child in here.children(recursive=True))]
        ) as spent:
            process.stdin.write("\n")
            process.stdin.flush()
            burnt = [process.stdout.readline().split() for _ in range(2)]
        process.stdin.close()
    assert {int(pid) for pid, _ in burnt} > {process.pid}
    assert sum(int(ns) for _, ns in burnt) > 1e9
    assert spent.cpu_ns == pytest.approx(1e9, rel=0.05)


A_CHILD_THAT_ENDS = """
import os, sys, time
def child_of(seconds):
    child = os.fork()
    if not child:
        while time.process_time() < seconds: pass
        os._exit(0)
    os.waitpid(child, 0)
child_of(0.2)
print(flush=True)
sys.stdin.readline()
child_of(0.5)
print(flush=True)
sys.stdin.read()
"""


def test_a_child_that_was_waited_for_counts() -> None:
    """It came and went in the block, as an autovacuum worker does; one before it doesn't count."""
    with subprocess.Popen(
        [sys.executable, "-c", A_CHILD_THAT_ENDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with meter.metered(lambda: [process.pid]) as spent:
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.close()
    assert spent.cpu_ns == pytest.approx(0.5e9, rel=0.1)


def test_what_a_process_used_before_it_went_is_not_counted() -> None:
    """A child that burnt most of its time before the block, and ended in it."""
    code = (
        "import os, sys, time\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    while time.process_time() < 0.5: pass\n"
        "    print(os.getpid(), flush=True)\n"
        "    sys.stdin.readline()\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = int(process.stdout.readline())
        alive = [process.pid, child]
        with meter.metered(lambda: [pid for pid in alive if psutil.pid_exists(pid)]) as spent:
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.close()
    assert spent.cpu_ns < 0.1e9


WRITER = """
import os, sys
with open(sys.argv[1], "wb", buffering=0) as file:
    sys.stdin.readline()
    for _ in range(10):
        file.write(bytes(1 << 18))
        os.fsync(file.fileno())
    print(flush=True)
    sys.stdin.readline()
"""


def written(path: Path) -> meter.Spent:
    """Have a process write 2.5 MiB in ten pieces, each with an fsync, and meter it."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with meter.metered(lambda: [process.pid]) as spent:
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.close()
    return spent


def test_known_writes_and_fsyncs_are_read_back(tmp_path: Path) -> None:
    """Bytes within 5%; fsyncs exactly, or the reason, which is a right that root has."""
    spent = written(tmp_path / "file")
    assert spent.written_bytes == pytest.approx(10 << 18, rel=0.05)
    if "fsyncs" in spent.missing:
        assert os.geteuid() != 0, spent.missing
        assert "CAP_PERFMON" in spent.missing["fsyncs"] or "root" in spent.missing["fsyncs"]
    else:
        assert spent.fsyncs == 10


def test_where_fsyncs_cannot_be_counted_the_reason_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other figures are there all the same."""

    def refused(tracepoint: int, thread: int) -> int:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(fsyncs, "_open", refused)
    monkeypatch.setattr(fsyncs, "_tracepoints", lambda: (1,))
    monkeypatch.setattr(fsyncs, "_keep", lambda _: None)
    spent = written(tmp_path / "file")
    assert spent.fsyncs is None
    assert "Permission denied" in spent.missing["fsyncs"]
    assert spent.written_bytes


def test_traffic_of_the_clients_is_counted_at_their_sockets() -> None:
    """Payload both ways to the byte; connections of others, and those taken in, aren't counted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stranger = socket.create_connection(server.getsockname())
        strangers = traffic.peers()
        with socket.create_server(("127.0.0.1", 0)) as store:
            client = socket.create_connection(store.getsockname())
            taken, _ = store.accept()
            before = traffic.flows(strangers)
            client.sendall(bytes(1000))
            stranger.sendall(bytes(5))
            taken.recv(1000, socket.MSG_WAITALL)
            taken.sendall(bytes(300))
            client.recv(300, socket.MSG_WAITALL)
            assert traffic.between(before, traffic.flows(strangers)) == (1000, 300)
            client.close()
            taken.close()
        stranger.close()
    assert traffic.between(before, traffic.flows(strangers)) is None


def test_metering_costs_under_one_percent_of_what_it_meters(
    start_server: Callable[..., Server],
) -> None:
    """CPU of metering a server once, against that of a cell of standard effort on two cores."""
    server = start_server("redis")
    taken = []
    for _ in range(5):
        begin_ns = time.process_time_ns()
        with meter.metered(server.pids):
            pass
        taken.append(time.process_time_ns() - begin_ns)
    cell_ns = 2e9 * latency.SCENARIO.presets[Effort.STANDARD].model_dump()["seconds"]
    assert statistics.median(taken) < 0.01 * cell_ns
