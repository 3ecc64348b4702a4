"""The machine a run was made on, as far as it may explain the figures: `environment` of `run.json`.

Everything here may be shown around: no host name, user name, address or path of anyone's is in it.
`machine.py` looks, `spoilers.py` says what to mend.
"""

from collections.abc import Mapping, Sequence

from bench.record import Record


class Cpu(Record):
    """Processors."""

    model: str
    cores: int
    """Logical, of the machine."""
    usable: float
    """As many as this process may use: affinity and cgroup quota."""
    governor: str | None
    """Frequency governor of the first core; None where the kernel shows none (virtual machines)."""
    turbo: bool | None = None
    """Whether it may clock up while it is cool; None where the kernel doesn't say."""
    smt: bool | None = None
    """Whether two of the logical cores may be one; None where the kernel doesn't say."""


class Memory(Record):
    """Main memory and swap."""

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None
    """Of the cgroup; None if it has none."""
    swap_used_bytes: int
    huge_pages: str | None = None
    """Transparent huge pages: always, madvise or never."""


class Scratch(Record):
    """The folder that servers and files get their data folders in."""

    file_system: str
    fsync_ns: int | None
    """Median of writing 4 KiB and fsync; None if it can't be written."""
    free_bytes: int | None = None


class Environment(Record):
    """`environment` of `run.json`."""

    cpu: Cpu
    memory: Memory
    scratch: Scratch
    load_average: tuple[float, float, float]
    """Over 1, 5 and 15 minutes, before the run."""
    kernel: str
    system: str
    """The distribution, as it calls itself."""
    container: str | None
    clock_source: str | None
    python: str
    versions: dict[str, str]
    """Distribution, or library, -> version."""
    git_commit: str | None
    """Of refreshbench itself, when it runs from a checkout; `-dirty` with changes on top."""


def differences(before: Environment, now: Environment) -> Sequence[str]:
    """Say what makes trials of the two not comparable."""
    return list(differing(before, now).values())


def differing(before: Environment, now: Environment) -> Mapping[str, str]:
    """Give the same by name: hardware, kernel, Python, drivers and servers."""
    pairs = {
        "CPU": (before.cpu.model, now.cpu.model),
        "cores": (before.cpu.cores, now.cpu.cores),
        "usable cores": (before.cpu.usable, now.cpu.usable),
        "CPU governor": (before.cpu.governor, now.cpu.governor),
        "kernel": (before.kernel, now.kernel),
        "Python": (before.python, now.python),
        "file system": (before.scratch.file_system, now.scratch.file_system),
    } | {
        name: (before.versions.get(name), now.versions.get(name))
        for name in sorted(before.versions.keys() | now.versions.keys())
    }
    return {name: f"{name} was {a}, is {b}" for name, (a, b) in pairs.items() if a != b}
