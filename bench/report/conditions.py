"""Under what conditions a run was made, in one line and in full."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bench.analysis import Summary
from bench.analysis.limits import cores
from bench.environment import Environment
from bench.record import Run
from bench.report import formats
from bench.spoilers import spoilers


def one_line(run: Run, summary: Summary) -> str:
    """Name what a figure can't be read without: effort, date, machine, servers."""
    cpu = run.environment.get("cpu")
    model = cpu.get("model") if isinstance(cpu, Mapping) else None
    available = cores(run.environment)
    machine = [
        str(model or "unknown CPU"),
        f"{available:g} cores" if available else "unknown number of cores",
    ]
    kernel = run.environment.get("kernel")
    parts = [
        f"{run.effort} effort",
        f"{run.started_at:%Y-%m-%d %H:%M} UTC",
        ", ".join(machine),
        *([f"Linux {str(kernel).removeprefix('Linux ')}"] if kernel else []),
        *_disk(run),
        ", ".join(servers(summary)) or "no server",
        f"seed {run.seed}",
    ]
    return " · ".join(parts)


def servers(summary: Summary) -> Sequence[str]:
    """Name each server that was measured, with its version and the way it was had."""
    found = [one.server for one in summary.servers if one.server]
    return list(dict.fromkeys(f"{s.kind} {s.version} ({s.way})" for s in found))


def in_full(run: Run) -> Sequence[tuple[str, str]]:
    """Give the recorded environment as dotted name and value, in units that people read."""
    return list(_flat(run.environment))


def spoils(run: Run) -> Sequence[str]:
    """Say what on the machine may have spoilt figures."""
    try:
        return spoilers(Environment.model_validate(run.environment))
    except ValidationError:
        return []


def _disk(run: Run) -> Sequence[str]:
    scratch = run.environment.get("scratch")
    if not isinstance(scratch, Mapping):
        return []
    taken = scratch.get("fsync_ns")
    fsync = f", fsync {taken / 1e6:.2g} ms" if isinstance(taken, int) else ""
    return [f"{scratch.get('file_system', 'unknown file system')}{fsync}"]


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{before}{key}.")
        elif inner is not None:
            yield _readable(f"{before}{key}", inner)


def _readable(name: str, value: object) -> tuple[str, str]:
    """Write a value as people read it; a unit that its name carries goes to the figure."""
    match value:
        case bool():
            return name, "yes" if value else "no"
        case int() if name.endswith("_ns"):
            return name.removesuffix("_ns"), f"{formats.milliseconds(value)} ms"
        case int() if name.endswith("_bytes"):
            return name.removesuffix("_bytes"), formats.size(value)
        case float():
            return name, f"{value:.3g}"
        case list() | tuple():
            return name, ", ".join(_readable(name, one)[1] for one in value)
    return name, str(value)
