"""Servers that the machine has: on PATH, or in a folder that REFRESHBENCH_BIN names."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.errors import Missing
from bench.servers.programs import Programs

_NAMES = {
    "redis": ("redis-server", "valkey-server"),
    "postgres": ("postgres",),
    "mongo": ("mongod",),
}
_PACKAGES = {"redis": "redis-server", "postgres": "postgresql", "mongo": "mongod"}


class OnPath(Programs):
    """Looks in REFRESHBENCH_BIN, then on PATH, then where Debian puts PostgreSQL."""

    name = "path"

    def named(self, kind: str) -> bool:
        """Whether the folder that the user named has a server of `kind`."""
        return _in_named_folder(kind) is not None

    def locate(self, kind: str) -> Path:
        """Find the program. Raises Missing."""
        if found := _in_named_folder(kind) or next(_on_path(kind), None):
            return found
        raise Missing(f"no {' or '.join(_NAMES[kind])} on PATH")

    def mend(self, kind: str) -> str:
        """Name the ways to give it one."""
        return (
            f"install {_PACKAGES[kind]}, or set REFRESHBENCH_BIN to the folder"
            f" that holds {_NAMES[kind][0]}"
        )


def _in_named_folder(kind: str) -> Path | None:
    folder = os.environ.get("REFRESHBENCH_BIN")
    found = (shutil.which(name, path=folder) for name in _NAMES[kind]) if folder else ()
    return next((Path(one) for one in found if one), None)


def _on_path(kind: str) -> Iterator[Path]:
    for name in _NAMES[kind]:
        if found := shutil.which(name):
            yield Path(found)
    if kind == "postgres":
        # Debian keeps it off PATH, one folder a major version.
        versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        yield from sorted(versions, key=_major_version, reverse=True)


def _major_version(program: Path) -> int:
    number = re.match(r"\d+", program.parts[-3])
    return int(number.group()) if number else 0
