"""`--workload FILE`: a TOML file with a table for each scenario, its parameters in it.

    [load]
    keys = "zipf"
    verify_per_rotate = 10
    mix = {issue = 11, rotate = 88, revoke = 1}

It stands for as many `--set`s, and is recorded as such: a run can be repeated without the file.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from bench.errors import WrongUse
from bench.options import RunOptions


def settings(path: Path) -> tuple[str, ...]:
    """Read the file as the `--set`s that it stands for. Raises WrongUse: one line, what and where.

    Whether scenarios and keys exist, and values make sense, is checked here, so that the line
    names the file.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUse(f"--workload {path}: can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongUse(f"--workload {path}: no TOML: {error}") from error
    found = []
    for scenario, parameters in tables.items():
        if not isinstance(parameters, dict):
            raise WrongUse(
                f"--workload {path}: {scenario} is outside any table; write [load] above it,"
                " or the scenario it is a parameter of"
            )
        for key, value in parameters.items():
            setting = f"{scenario}.{key}={_text(path, value)}"
            _check(path, scenario, setting)
            found.append(setting)
    return tuple(found)


def _check(path: Path, scenario: str, setting: str) -> None:
    try:
        RunOptions.parse({"scenarios": (scenario,), "set": (setting,)}).parameters()
    except WrongUse as error:
        said = str(error).removeprefix(f"--set {setting}: ").removeprefix("SCENARIO: ")
        raise WrongUse(f"--workload {path}: {setting}: {said}") from error


def _text(path: Path, value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except TypeError:
        raise WrongUse(
            f"--workload {path}: {value} is a date or time, which no key takes"
        ) from None
