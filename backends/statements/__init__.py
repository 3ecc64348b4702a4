"""The SQL of the stores, and how it is read.

A file holds several statements, each headed by `-- name: rotate(subject, family, ...)`: its name
and the order in which the caller gives its values, on as many lines as that takes. In the text a
value is `:subject`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_HEAD = re.compile(r"^-- name: (\w+)\(([^)]+)\)$", re.MULTILINE)
_NAME = re.compile(r"\w+")
# Not the second colon of a cast, nor a time of day.
_VALUE = re.compile(r"(?<![:\w]):([a-z]\w*)")


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement, its placeholders translated once for each kind of driver."""

    name: str
    parameters: tuple[str, ...]
    """The order in which values are given."""
    named: str
    """With `:subject`."""
    dollars: bytes
    """With `$1`, PostgreSQL's own."""
    questions: str
    """With `?1`, SQLite's own."""
    percents: str
    """With `%(subject)s`, that of psycopg's cursors."""


def script(name: str) -> str:
    """Read `<name>.sql` as it is: a script without values."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def statements(name: str) -> Mapping[str, Statement]:
    """Read the statements of `<name>.sql`, by name."""
    _, *parts = _HEAD.split(script(name))
    heads_and_bodies = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return {head: _statement(head, order, body) for head, order, body in heads_and_bodies}


def _statement(name: str, order: str, body: str) -> Statement:
    # Comments are for who reads the file; the server needn't parse them, nor a driver cache them.
    lines = (line for line in body.splitlines() if not line.lstrip().startswith("--"))
    text = "\n".join(lines).strip()
    parameters = tuple(_NAME.findall(order))
    if set(parameters) != set(_VALUE.findall(text)):
        raise ValueError(f"{name}: its head and its text name different values")

    def numbered(sigil: str) -> str:
        return _VALUE.sub(lambda value: f"{sigil}{parameters.index(value[1]) + 1}", text)

    percents = _VALUE.sub(r"%(\1)s", text.replace("%", "%%"))
    return Statement(name, parameters, text, numbered("$").encode(), numbered("?"), percents)
