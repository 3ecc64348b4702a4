"""A server's program on this machine, and whether it really runs."""

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import Missing

_OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that ran when asked for its version."""

    kind: str
    way: str
    program: Path
    version: str
    prefix: tuple[str, ...] = ()
    """What has to come before it on a command line."""

    def tool(self, name: str) -> Path | None:
        """Find a program that came along with it; None if there is none."""
        beside = self.program.with_name(name)
        return beside if os.access(beside, os.X_OK) else None


def probe(kind: str, way: str, program: Path) -> Binary:
    """Ask `program` for its version. Raises Missing: it doesn't run here, and why."""
    program = program.resolve()
    prefix = _without_root() if kind == "postgres" else ()
    changed_ns = program.stat().st_mtime_ns
    version = _version(prefix, program, changed_ns)
    if kind == "postgres" and int(version.split(".")[0]) < _OLDEST_POSTGRES:
        raise Missing(f"{program} is PostgreSQL {version}; {_OLDEST_POSTGRES} or newer is needed")
    binary = Binary(kind, way, program, version, prefix)
    if kind == "postgres" and binary.tool("initdb") is None:
        raise Missing(f"{program} has no initdb beside it")
    return binary


def _without_root() -> tuple[str, ...]:
    """PostgreSQL refuses root; in a user namespace it runs as another, and no file changes owner.

    Raises Missing where there is no `unshare`.
    """
    if os.geteuid() != 0:
        return ()
    unshare = shutil.which("unshare")
    if unshare is None:
        raise Missing("PostgreSQL refuses root, and there is no unshare (util-linux) to lower it")
    return (unshare, "--user", "--map-user=1000", "--map-group=1000")


# Only success is remembered: what is missing now may be there in a moment. The time of its last
# change is part of the key, so a replaced program is asked again.
@functools.cache
def _version(prefix: tuple[str, ...], program: Path, changed_ns: int) -> str:  # noqa: ARG001
    try:
        done = subprocess.run(
            [*prefix, program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=20,
        )
    except OSError as error:
        raise Missing(f"{program} can't be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{program} --version did not end within 20 s") from error
    found = re.search(r"\d+(\.\d+)+|\d+(?=devel|beta|rc)", done.stdout)
    if done.returncode != 0 or found is None:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise Missing(f"{program} doesn't run here: {said[0]}")
    return found.group()
