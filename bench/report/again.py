"""The command that makes a run again."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import scenarios
from bench.options import LOCAL
from bench.record import Run
from scenarios.scenario import Effort


def command(run: Run) -> str:
    """Give the command that makes the same run again, settings and all."""
    words = ["refreshbench", "run", *run.parameters]
    for subject in run.subjects:
        if not (subject.control or subject.companion):
            words += ["-b", subject.spec]
    words += ["--effort", run.effort, "--seed", str(run.seed)]
    if (way := run.options.get("servers", "auto")) != "auto":
        words += ["--servers", str(way)]
    if run.options.get("workers", LOCAL) != LOCAL:
        words += ["--workers", "tcp://HOST:PORT"]
    for setting in _settings(run):
        words += ["--set", setting]
    return shlex.join(words)


def _settings(run: Run) -> Sequence[str]:
    """Give what was set, and what the effort meant when the run was made and doesn't any more.

    A run that named no scenario had less of each than the command does, which names them.
    """
    given = run.options.get("set") or []
    found = [str(setting) for setting in given] if isinstance(given, list | tuple) else []
    known = {setting.partition("=")[0] for setting in found}
    for scenario, parameters in run.parameters.items():
        preset = _preset(scenario, run.effort)
        found += [
            f"{scenario}.{key}={_text(value)}"
            for key, value in parameters.items()
            if key in preset and preset[key] != value and f"{scenario}.{key}" not in known
        ]
    return found


def _preset(scenario: str, effort: str) -> Mapping[str, Any]:
    """Give what an effort means today; nothing for what this version doesn't know."""
    if scenario not in scenarios.names() or effort not in {one.value for one in Effort}:
        return {}
    return scenarios.load(scenario).presets[Effort(effort)].model_dump(mode="json")


def _text(value: object) -> str:
    """Write a value as `--set` reads it: JSON where it is no plain word or list of such."""
    if isinstance(value, list):
        parts = [_text(part) for part in value]
        plain = all(isinstance(part, str | int | float) for part in value)
        if parts and plain and not any("," in part for part in parts):
            return ",".join(parts)
    return value if isinstance(value, str) else json.dumps(value)
