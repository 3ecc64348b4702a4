"""What runs inside an app instance: a process of its own with the store open.

Called through the worker's executor, one function at a time. The store stays open until the
process ends, as an application's does.
"""

from collections.abc import Sequence
from pathlib import Path

import backends
from backends.store import Place, Policy
from bench.conform.lanes import Answer, Call, Lane, answer, in_process
from bench.conform.watched import Watched

_opened: list[Watched] = []


def open_store(spec: str, place: Place, policy: Policy) -> None:
    """Open the store here."""
    _opened[:] = [Watched(backends.resolve(spec).open(place, policy))]


def race(lane: Lane, meeting: Path, number: int, lanes: int, seconds: float) -> Sequence[Answer]:
    """Run one lane of a race."""
    [store] = _opened
    return in_process(store, lane, meeting, number, lanes, seconds)


def calls(made: Sequence[Call]) -> Sequence[Answer]:
    """Make calls one after another."""
    [store] = _opened
    return [answer(store, call) for call in made]


def close() -> None:
    """Close the store in good order."""
    [store] = _opened
    store.close()
