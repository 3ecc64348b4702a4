"""The closed loop: each client sends its next operation when the last one was answered.

The measured part is `drive`: two clock readings around each call and one append. Everything that
could be done before is in the schedule, everything that can wait comes after.
"""

import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.load.schedule import Call
from scenarios.cost import Cost
from scenarios.histogram import histogram
from scenarios.phases.measure import Samples
from scenarios.phases.workload import Operation

FAILED_NS = -1
"""Stands for the latency of a call that did not end as expected."""


class Driven(NamedTuple):
    """What one client did: latencies in the order of its schedule, as far as it came."""

    latencies_ns: "array[int]"
    errors: dict[int, str]
    """Index of a call that went wrong -> the exception's name, or the outcome it got instead."""
    begin_ns: int
    end_ns: int


def drive(
    schedule: Sequence[Call], deadline_ns: int, clock: Callable[[], int] = time.monotonic_ns
) -> Driven:
    """Make the calls one after another until `deadline_ns` or the end; `clock` is in ns."""
    latencies_ns = array("q")
    record = latencies_ns.append
    errors: dict[int, str] = {}
    begin_ns = end_ns = clock()
    for call, arguments, expected, _, _, _ in schedule:
        start_ns = clock()
        try:
            answer = call(*arguments)
            end_ns = clock()
            if answer is expected or answer[0] is expected:
                record(end_ns - start_ns)
            else:
                errors[len(latencies_ns)] = str(answer[0])
                record(FAILED_NS)
        # A store of anyone may raise anything: it is counted by name, and the load goes on.
        except Exception as error:  # noqa: BLE001
            end_ns = clock()
            errors[len(latencies_ns)] = type(error).__name__
            record(FAILED_NS)
        if end_ns >= deadline_ns:
            break
    return Driven(latencies_ns, errors, begin_ns, end_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one worker process contributes to a `Measured`; small enough to send back."""

    samples: dict[Operation, Samples]
    begin_ns: int
    end_ns: int
    cpu_ns: int
    rss_bytes: int
    exhausted: bool
    cost: Cost | None = None
    """Disk and fsyncs are this process's own, and the store's where it is inside; None where they
    weren't asked for."""


def samples_of(done: Sequence[tuple[Sequence[Call], Driven]]) -> dict[Operation, Samples]:
    """Sort what the clients did by operation."""
    latencies: dict[Operation, list[NDArray[np.int64]]] = {}
    errors: dict[Operation, Counter[str]] = {}
    for schedule, driven in done:
        values = np.frombuffer(driven.latencies_ns, dtype=np.int64)
        operations = np.array([call.operation for call in schedule[: len(values)]])
        for operation in dict.fromkeys(call.operation for call in schedule[: len(values)]):
            chosen = values[operations == operation]
            latencies.setdefault(operation, []).append(chosen[chosen != FAILED_NS])
            errors.setdefault(operation, Counter())
        for index, kind in driven.errors.items():
            errors[schedule[index].operation][kind] += 1
    merged = {operation: np.concatenate(arrays) for operation, arrays in latencies.items()}
    return {
        operation: Samples(
            latency_ns=histogram(values),
            minimum_ns=int(values.min(initial=np.iinfo(np.int64).max)) if values.size else 0,
            maximum_ns=int(values.max(initial=0)),
            errors=dict(errors[operation]),
        )
        for operation, values in merged.items()
    }
