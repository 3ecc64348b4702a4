"""Races: lanes of calls that start together, round after round, on threads or on processes.

A race that is lost by nanoseconds is seldom seen. Between threads the interpreter switches every
5 ms, far longer than a store in memory takes; so while a lane races, it gives way at random lines
of the store (`bench.load.jolt`). Between processes a barrier in shared memory starts each round
within microseconds, and the pauses at lines are longer than that.
"""

import mmap
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from backends.errors import RefreshStoreError
from bench.conform.property import Violation
from bench.conform.watched import Watched
from bench.load.jolt import jolt, jolted

SLOT_BYTES = 8
PAUSE_SECONDS = 50e-6
"""The longest pause of a process at a line: about what a store's own work takes."""


class Call(NamedTuple):
    """One call of a store's method."""

    method: str
    args: tuple[Any, ...]


Answer = Any
"""What the call returned, or the RefreshStoreError or Violation that it raised."""
Lane = Sequence[Call]


def answer(store: Watched, call: Call) -> Answer:
    """Make the call, and give what it returned or raised."""
    try:
        return getattr(store, call.method)(*call.args)
    except (RefreshStoreError, Violation) as error:
        return error


def on_threads(store: Watched, lanes: Sequence[Lane], seconds: float) -> Sequence[Sequence[Answer]]:
    """Run each lane on a thread of its own; give each lane's answers."""
    barrier = threading.Barrier(len(lanes), timeout=seconds)

    def run(lane: Lane, seed: int) -> Sequence[Answer]:
        stops = jolt(store.store, seed)
        answers = []
        for call in lane:
            barrier.wait()
            with jolted(stops):
                answers.append(answer(store, call))
        return answers

    with ThreadPoolExecutor(len(lanes)) as pool:
        return list(pool.map(run, lanes, range(len(lanes))))


def in_process(
    store: Watched, lane: Lane, meeting: Path, number: int, lanes: int, seconds: float
) -> Sequence[Answer]:
    """Run one lane of `lanes`, whose others are other processes meeting at the same file."""
    deadline = time.monotonic() + seconds
    stops = jolt(store.store, number, PAUSE_SECONDS)
    answers = []
    with (
        meeting.open("r+b") as file,
        mmap.mmap(file.fileno(), lanes * SLOT_BYTES) as memory,
        memoryview(memory) as raw,
        raw.cast("q") as arrived,
    ):
        for turn, call in enumerate(lane, 1):
            arrived[number] = turn
            while min(arrived) < turn:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"a racer did not come to round {turn}")
                os.sched_yield()
            with jolted(stops):
                answers.append(answer(store, call))
    return answers


def meeting_place(path: Path, lanes: int) -> Path:
    """Make the file at which `lanes` processes meet."""
    path.write_bytes(bytes(lanes * SLOT_BYTES))
    return path
