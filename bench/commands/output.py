"""Where commands write: results to stdout, everything that is said about them to stderr."""

import sys
from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from pydantic_core import to_json
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDE = 400
"""Columns where there is no terminal: a row stays a line, so that `grep` and `cut` work on it."""


def out() -> Console:
    """Give the console for results."""
    return _console(stderr=False)


def err() -> Console:
    """Give the console for progress, warnings and errors."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=WIDE)


def print_json(value: BaseModel | Mapping[str, object]) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(to_json(value, indent=2).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Table:
    """Lay rows out; None is an empty cell."""
    drawn = Table(*columns, title=title, title_justify="left", box=SIMPLE, title_style="bold")
    for row in rows:
        drawn.add_row(*(escape(cell or "") for cell in row))
    return drawn
