"""The command line as its users meet it, for tests of what it says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TINY = [
    "--set=consistency.instances=2",
    "--set=consistency.sightings=1",
    "--set=consistency.races=1",
    "--set=consistency.endings=1",
    "--set=consistency.mishap_races=1",
]


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Said]


def command(*arguments: str, cwd: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start the installed command as its user does."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("refreshbench"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_one_line(said: Said, code: int, *parts: str) -> None:
    """An error is one line on stderr, names all of `parts`, and leaves stdout alone."""
    assert (said.code, said.out) == (code, "")
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("refreshbench: ")
    for part in parts:
        assert part in said.err
