"""What on a machine spoils figures, and what to do about it."""

from collections.abc import Iterator, Sequence

from bench.environment import Environment, Memory, Scratch

LYING_FSYNC_NS = 20_000
"""No device with a durable cache answers a flush faster; one that does has not flushed."""

LEAST_MEMORY_BYTES = LEAST_FREE_BYTES = 2 << 30

GOOD_CLOCKS = ("tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page")
"""Read in user space, in some 20 ns."""


def spoilers(environment: Environment) -> Sequence[str]:
    """Say what on this machine spoils figures, and what to do about it."""
    return [
        *_about_processors(environment),
        *_about_memory(environment.memory),
        *_about_disk(environment.scratch),
    ]


def _about_processors(environment: Environment) -> Iterator[str]:
    """Warn of what makes a core faster or slower by itself."""
    cpu = environment.cpu
    if cpu.governor not in {None, "performance"}:
        yield (
            f"the CPU governor is {cpu.governor!r}, so speed depends on load:"
            " sudo cpupower frequency-set -g performance"
        )
    if environment.load_average[0] > cpu.cores / 2:
        yield (
            f"the load average is {environment.load_average[0]:.1f} on {cpu.cores} cores:"
            " end other work, or wait, and run again"
        )
    if cpu.usable < 2:  # noqa: PLR2004 - one for the clients, one for the server
        yield (
            f"only {cpu.usable:g} core may be used, so clients and server wait for each other:"
            " use a machine with two or more"
        )
    if cpu.turbo and not environment.container:
        yield (
            "turbo is on, so speed depends on how warm the CPU is: turn it off"
            " (intel_pstate/no_turbo or cpufreq/boost in /sys/devices/system/cpu), or compare"
            " inside one run alone"
        )
    if cpu.smt:
        yield (
            "SMT is on, so two of the cores may be halves of one: nosmt on the kernel's command"
            " line, or compare inside one run alone"
        )
    if environment.clock_source not in {None, *GOOD_CLOCKS}:
        yield (
            f"the clock source is {environment.clock_source!r}, which a reading takes a system call"
            " for: boot with clocksource=tsc, if the machine has a stable one"
        )


def _about_memory(memory: Memory) -> Iterator[str]:
    """Warn of what memory is short of."""
    if memory.swap_used_bytes > memory.total_bytes // 100:
        yield f"{memory.swap_used_bytes >> 20} MiB are swapped out: end what needs the memory"
    if memory.limit_bytes is not None and memory.limit_bytes < LEAST_MEMORY_BYTES:
        yield (
            f"this container may use {memory.limit_bytes >> 20} MiB of memory, less than a run with"
            " every server needs: raise its limit to 2 GiB or more"
        )
    if memory.huge_pages == "always":
        yield (
            "transparent huge pages are always on, so a fork of Redis copies 2 MiB for each write:"
            " echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        )


def _about_disk(scratch: Scratch) -> Iterator[str]:
    """Warn of a disk that is none, lies, or is full."""
    if scratch.free_bytes is not None and scratch.free_bytes < LEAST_FREE_BYTES:
        yield (
            f"only {scratch.free_bytes >> 20} MiB are free where data folders go: make room, or set"
            " REFRESHBENCH_SCRATCH to a folder with 2 GiB"
        )
    if scratch.file_system in {"tmpfs", "ramfs"}:
        yield (
            f"data folders are on {scratch.file_system}, where fsync costs nothing, so durable"
            " profiles look faster than they are: set REFRESHBENCH_SCRATCH to a folder on a disk"
        )
    elif scratch.fsync_ns is not None and scratch.fsync_ns < LYING_FSYNC_NS:
        yield (
            f"this disk answers fsync in {scratch.fsync_ns / 1000:.0f} µs, so it may lie and"
            " durable profiles look faster than they are: set REFRESHBENCH_SCRATCH to a folder on"
            " another disk"
        )
