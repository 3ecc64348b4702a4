"""The environment: what a run was made on, safe to share, with warnings that say what to do."""

import getpass
import re
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.environment import Cpu, Environment, Memory, Scratch, differences
from bench.machine import collect, file_system, fsync_ns
from bench.spoilers import spoilers


def environment(**changes: Any) -> Environment:
    """Give a quiet machine, with `changes`."""
    quiet = Environment(
        cpu=Cpu(model="Example 9000", cores=4, usable=4.0, governor="performance"),
        memory=Memory(
            total_bytes=8 << 30, available_bytes=6 << 30, limit_bytes=None, swap_used_bytes=0
        ),
        scratch=Scratch(file_system="ext4", fsync_ns=150_000),
        load_average=(0.1, 0.1, 0.1),
        kernel="6.1.0",
        system="Example Linux 1",
        container=None,
        clock_source="tsc",
        python="CPython 3.11.7",
        versions={"redis": "6.0.0"},
        git_commit=None,
    )
    return quiet.model_copy(update=changes)


def test_what_is_collected_describes_this_machine(tmp_path: Path) -> None:
    """Cores, memory, file system and driver versions are those of this machine."""
    found = collect(tmp_path)
    assert found.cpu.cores == psutil.cpu_count()
    assert 0 < found.cpu.usable <= found.cpu.cores
    assert found.cpu.model
    assert found.memory.total_bytes == psutil.virtual_memory().total
    assert found.scratch.fsync_ns is not None
    assert found.scratch.fsync_ns > 0
    assert {"refreshbench", "redis", "psycopg", "pymongo", "sqlite"} <= found.versions.keys()
    assert Environment.model_validate_json(found.model_dump_json()) == found


def test_the_record_names_no_person_machine_or_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No host name, user name, address or home path: a record may be shown around."""
    home = tmp_path / "secret-home"
    (home / "scratch").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "secret-user")
    monkeypatch.setenv("LOGNAME", "secret-user")
    written = collect(home / "scratch").model_dump_json()
    words = set(re.findall(r"[\w.-]+", written))
    addresses = {address.address for net in psutil.net_if_addrs().values() for address in net} - {
        "127.0.0.1"
    }
    assert not words & ({socket.gethostname(), getpass.getuser()} | addresses)
    assert "secret" not in written
    assert str(tmp_path) not in written


def test_the_type_of_the_innermost_mount_is_given() -> None:
    """A folder below a mount point has the type of that mount, not of the root."""
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/nonexistent/below/root")) == file_system(Path("/"))


def test_a_folder_that_cannot_be_written_has_no_fsync_latency() -> None:
    """The measurement gives None, and fails nothing."""
    assert fsync_ns(Path("/proc")) is None


def test_a_quiet_machine_has_no_warnings() -> None:
    """Nothing to mend, nothing said; a virtual machine that shows no governor is no problem."""
    assert spoilers(environment()) == []
    virtual = Cpu(model="Example 9000", cores=4, usable=4.0, governor=None)
    assert spoilers(environment(cpu=virtual)) == []


@pytest.mark.parametrize(
    ("change", "says", "mend"),
    [
        (
            {"cpu": Cpu(model="m", cores=4, usable=4, governor="powersave")},
            "governor is 'powersave'",
            "cpupower",
        ),
        ({"clock_source": "hpet"}, "clock source is 'hpet'", "clocksource=tsc"),
        ({"cpu": Cpu(model="m", cores=4, usable=4, governor=None, smt=True)}, "SMT", "nosmt"),
        ({"cpu": Cpu(model="m", cores=4, usable=4, governor=None, turbo=True)}, "turbo", "off"),
        (
            {"scratch": Scratch(file_system="ext4", fsync_ns=900_000, free_bytes=300 << 20)},
            "300 MiB are free",
            "REFRESHBENCH_SCRATCH",
        ),
        (
            {
                "memory": Memory(
                    total_bytes=8 << 30,
                    available_bytes=6 << 30,
                    limit_bytes=512 << 20,
                    swap_used_bytes=0,
                )
            },
            "may use 512 MiB",
            "raise its limit",
        ),
        (
            {
                "memory": Memory(
                    total_bytes=8 << 30,
                    available_bytes=6 << 30,
                    limit_bytes=None,
                    swap_used_bytes=0,
                    huge_pages="always",
                )
            },
            "huge pages",
            "madvise",
        ),
        ({"load_average": (2.5, 1.0, 1.0)}, "load average is 2.5 on 4 cores", "run again"),
        (
            {"cpu": Cpu(model="m", cores=4, usable=1.5, governor=None)},
            "only 1.5 core",
            "two or more",
        ),
        (
            {
                "memory": Memory(
                    total_bytes=8 << 30,
                    available_bytes=1 << 30,
                    limit_bytes=None,
                    swap_used_bytes=300 << 20,
                )
            },
            "300 MiB are swapped out",
            "end what needs",
        ),
        (
            {"scratch": Scratch(file_system="tmpfs", fsync_ns=900)},
            "on tmpfs",
            "REFRESHBENCH_SCRATCH",
        ),
        (
            {"scratch": Scratch(file_system="ext4", fsync_ns=5_000)},
            "fsync in 5 µs",
            "REFRESHBENCH_SCRATCH",
        ),
    ],
)
def test_each_warning_says_what_is_wrong_and_what_to_do(
    change: dict[str, Any], says: str, mend: str
) -> None:
    """One warning for one fault, with its mend."""
    [warning] = spoilers(environment(**change))
    assert says in warning
    assert mend in warning


def test_other_hardware_or_versions_are_told_and_load_is_not() -> None:
    """What makes trials incomparable is named, before and now; passing conditions aren't."""
    before = environment()
    now = environment(
        cpu=Cpu(model="Other 1", cores=4, usable=4.0, governor="performance"),
        versions={"redis": "6.1.0", "pymongo": "4.10"},
        load_average=(3.0, 2.0, 1.0),
    )
    assert differences(before, before) == []
    assert differences(before, now) == [
        "CPU was Example 9000, is Other 1",
        "pymongo was None, is 4.10",
        "redis was 6.0.0, is 6.1.0",
    ]
