"""What a server costs, read from outside."""

import subprocess
import sys
import time

from bench import meter

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
    assert meter.spent_ns(before, after) == after[stays.pid] - before[stays.pid] + after[comes.pid]


def test_memory_of_a_process_that_has_ended_is_none() -> None:
    """A reading may come too late, and then says nothing."""
    process = busy()
    assert meter.memory_bytes([process.pid]) > 1_000_000
    end(process)
    assert meter.memory_bytes([process.pid]) == 0
    assert meter.cpu_ns([process.pid]) == {}
