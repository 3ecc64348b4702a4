"""What `run` is asked for, validated as a whole before anything starts.

`RunOptions` is also what the record keeps of the command line: what was given, nothing filled in,
so that `--resume` can tell a contradiction from a silence.
"""

import difflib
import json
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, get_origin

from pydantic import AfterValidator, NonNegativeInt, ValidationError, field_serializer

import scenarios
from backends.factory import is_factory
from bench.errors import WrongUse
from bench.record import Record
from scenarios.scenario import Effort, Parameters, Scenario

EFFORTS = tuple(effort.value for effort in Effort)
SERVERS = ("auto", "wheel", "path", "url")
"""Ways to get a server: `auto` takes the first that works."""

LOCAL = "local"
CLUSTER = "tcp://"
"""What is recorded of the address of a cluster."""
ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):\d+")

BLOCK_BYTES = 4096
"""An empty file can be made on a full disk; a block can not."""


def one_of(known: Callable[[], Sequence[str]], given: str) -> str:
    """Give `given` back if it is known. Raises ValueError that names the nearest and all."""
    names = known()
    if given not in names:
        raise ValueError(f"no {given!r}; {hint(given, names)}")
    return given


def hint(given: str, known: Iterable[str]) -> str:
    """Say which name was probably meant, and what there is."""
    names = list(known)
    close = difflib.get_close_matches(given, names, n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}there is: {', '.join(names)}"


def shared(spec: str) -> str:
    """Write a factory's path so that a record can be shown around: no home folder in it."""
    if not is_factory(spec):
        return spec
    where, _, name = spec.rpartition(":")
    path = Path(where)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    elif path.is_absolute() and path.is_relative_to(Path.home()):
        path = "~" / path.relative_to(Path.home())
    return f"{path}:{name}"


def workers(where: str) -> str:
    """Give `where` back if workers can be asked for like that. Raises ValueError."""
    if where not in {LOCAL, CLUSTER} and not ADDRESS.fullmatch(where):
        raise ValueError(f"no {where!r}: write local, or tcp://HOST:PORT of a Dask scheduler")
    return where


ScenarioName = Annotated[str, AfterValidator(partial(one_of, scenarios.names))]
EffortName = Annotated[str, AfterValidator(partial(one_of, lambda: EFFORTS))]
ServersName = Annotated[str, AfterValidator(partial(one_of, lambda: SERVERS))]
WorkersName = Annotated[str, AfterValidator(workers)]
Spec = Annotated[str, AfterValidator(shared)]


class RunOptions(Record):
    """The options of `run` that decide what is run; a field not given stays unset."""

    scenarios: tuple[ScenarioName, ...] = ()
    backends: tuple[Spec, ...] = ()
    effort: EffortName = "quick"
    servers: ServersName = "auto"
    workers: WorkersName = "local"
    seed: NonNegativeInt | None = None
    set: tuple[str, ...] = ()

    @field_serializer("workers")
    def _without_address(self, workers: str) -> str:
        """Keep of a cluster that there was one: a record names no address."""
        return workers if workers == LOCAL else CLUSTER

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Check everything at once; None and empty count as not given. Raises WrongUse."""
        try:
            return cls.model_validate({k: v for k, v in given.items() if v not in (None, (), [])})
        except ValidationError as error:
            problems = [
                f"{_SHOWN[str(problem['loc'][0])]}: {_message(problem)}"
                for problem in error.errors()
            ]
            raise WrongUse("; ".join(problems)) from error

    def parameters(self) -> dict[str, Parameters]:
        """Give the parameters of every scenario chosen, after effort and --set. Raises WrongUse."""
        chosen = list(dict.fromkeys(self.scenarios)) or scenarios.by_default()
        values = {name: self._preset(scenarios.load(name)) for name in chosen}
        for setting in self.set:
            name, key, text = _split(setting, chosen)
            values[name] = _changed(values[name], setting, key, text)
        return values

    def _preset(self, scenario: Scenario) -> Parameters:
        preset = scenario.presets[Effort(self.effort)]
        if self.scenarios or self.effort != Effort.QUICK:
            return preset
        return scenario.parameters.model_validate({**preset.model_dump(), **scenario.brief})


_SHOWN = {
    "scenarios": "SCENARIO",
    "backends": "-b",
    "effort": "--effort",
    "servers": "--servers",
    "workers": "--workers",
    "seed": "--seed",
    "set": "--set",
}


def contradictions(given: RunOptions, recorded: RunOptions) -> Sequence[str]:
    """Name each option given now that says otherwise than the run to be resumed."""
    return [
        f"{_SHOWN[name]} {_text(value)} (it has {_text(getattr(recorded, name))})"
        for name, value in given.model_dump(exclude_unset=True).items()
        if value != getattr(recorded, name)
    ]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none given"
    return "none given" if value is None else str(value)


def _split(setting: str, chosen: Sequence[str]) -> tuple[str, str, str]:
    where, equals, text = setting.partition("=")
    name, dot, key = where.partition(".")
    if not (equals and dot and name and key):
        raise WrongUse(
            f"--set {setting}: write scenario.key=value, such as --set latency.connections=1,8"
        )
    if name not in scenarios.names():
        raise WrongUse(f"--set {setting}: no scenario {name!r}; {hint(name, scenarios.names())}")
    if name not in chosen:
        raise WrongUse(f"--set {setting}: {name} isn't in this run; it takes {', '.join(chosen)}")
    return name, key, text


def _changed(parameters: Parameters, setting: str, key: str, text: str) -> Parameters:
    kind = type(parameters)
    if key not in kind.model_fields:
        raise WrongUse(f"--set {setting}: no key {key!r}; {hint(key, kind.model_fields)}")
    is_tuple = get_origin(kind.model_fields[key].annotation) is tuple
    try:
        return kind.model_validate({**parameters.model_dump(), key: _value(text, is_tuple)})
    except ValidationError as error:
        before = getattr(parameters, key)
        example = ",".join(map(str, before)) if is_tuple else before
        raise WrongUse(
            f"--set {setting}: {_message(error.errors()[0])}; for example {key}={example}"
        ) from error


def _value(text: str, is_tuple: bool) -> object:  # noqa: FBT001 - how the text is to be read
    """Read JSON, or `1,8` for a field that takes several; pydantic turns text into numbers."""
    if text.startswith(("[", "{", '"')):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text.split(",") if is_tuple else text


def _message(problem: Mapping[str, Any]) -> str:
    # pydantic prefixes what a validator of ours said with its own name for it.
    text: str = problem["msg"].removeprefix("Value error, ")
    return text[0].lower() + text[1:]


def share(option: str, text: str) -> float:
    """Read `5%` or `0.05`. Raises WrongUse."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise WrongUse(f"{option} {text}: write a share, such as 5% or 0.05")
    return value


def writable(option: str, folder: Path) -> None:
    """Make sure that `folder` is there and takes files, before any server starts.

    Raises WrongUse.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(BLOCK_BYTES))
    except OSError as error:
        raise WrongUse(
            f"{option} {folder}: can't be written: {error.strerror}; choose another folder"
        ) from error
