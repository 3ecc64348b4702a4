"""The open loop: operations start when they are due, however long the ones before them take.

The clients of a process share one queue of intended starts. Whoever is free takes the next, waits
until it is due, and makes the next of its own calls. If all are busy, what is due waits for them:
that wait is part of the response time, which counts from the intended start. So a stall is seen by
everything that came due in it, where a closed loop would have asked nothing meanwhile.

The measured part is `drive`. `account` says afterwards what became of each operation.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.load.pacing import Timing
from bench.load.schedule import Call
from bench.load.storms import Reply, Storm, judged
from bench.load.token_work import spent_ns
from scenarios.histogram import Histogram, histogram
from scenarios.phases.climb import Tally
from scenarios.phases.workload import Operation

Numbers = NDArray[np.int64]


class Agenda(NamedTuple):
    """What the clients of one process have to do together."""

    turns: Iterator[int]
    """Index of the next operation. Taken from by every client; one `next` is atomic."""
    due_ns: "array[int]"
    """Intended start of each, in order."""
    given: Sequence[Call | None]
    """The call of each, where it isn't the client's own next one."""
    close_ns: int
    """When the time is up: nothing is due after it."""
    give_up_ns: int
    """When what is left is given up: no call begins after it."""


class Driven(NamedTuple):
    """What one client did, in the order it did it."""

    taken: "array[int]"
    """Index of each operation."""
    started_ns: "array[int]"
    ended_ns: "array[int]"
    own: Sequence[Call]
    """The calls prepared for it alone; it made as many of them as it took turns without one."""
    errors: dict[int, str]
    """Position of a call that went wrong -> the exception's name, or the outcome it got instead."""
    exhausted: bool
    """It came to the end of its own calls."""


def drive(agenda: Agenda, own: Sequence[Call], timing: Timing) -> Driven:
    """Take what is due, one operation after another, until none is left or it is given up."""
    clock, wait_until = timing
    turns, due_ns, given, _, give_up_ns = agenda
    mine = iter(own)
    ready = next(mine, None)
    taken, started_ns, ended_ns = array("q"), array("q"), array("q")
    take, began, ended = taken.append, started_ns.append, ended_ns.append
    errors: dict[int, str] = {}
    end_ns = clock()
    for turn in turns if ready else ():
        prepared = given[turn]
        if prepared is None:
            assert ready is not None
            prepared, ready = ready, next(mine, None)
        call, arguments, expected, _, _, _ = prepared
        if due_ns[turn] > end_ns:
            wait_until(due_ns[turn])
        start_ns = clock()
        try:
            answer = call(*arguments)
            end_ns = clock()
            if answer is not expected and answer[0] is not expected:
                errors[len(taken)] = str(answer[0])
        # A store of anyone may raise anything: it is counted by name, and the load goes on.
        except Exception as error:  # noqa: BLE001
            end_ns = clock()
            errors[len(taken)] = type(error).__name__
        take(turn)
        began(start_ns)
        ended(end_ns)
        # A client without a call of its own leaves the turns to the others.
        if end_ns >= give_up_ns or ready is None:
            break
    return Driven(taken, started_ns, ended_ns, own, errors, ready is None)


def made(agenda: Agenda, one: Driven) -> list[Call]:
    """Give the calls that a client made, in order."""
    own = iter(one.own)
    return [agenda.given[turn] or next(own) for turn in one.taken]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one worker process contributes to a step; small enough to send back."""

    tally: Tally
    started: int
    errors: dict[str, int]
    response_ns: dict[Operation, Histogram]
    service_ns: Histogram
    lag_ns: Histogram
    pacing_ns: Histogram
    tokens_ns: Histogram
    busy_ns: int
    end_ns: int
    exhausted: bool


def account(
    agenda: Agenda,
    driven: Sequence[Driven],
    storms: Sequence[Storm] = (),
    storm_of: Sequence[int] = (),
    storm_size: int = 0,
) -> Account:
    """Say what became of every operation on the agenda.

    `storm_of` has the storm of each operation, negative where it is of none.
    """
    taken = _joined([one.taken for one in driven])
    start_ns = _joined([one.started_ns for one in driven])
    end_ns = _joined([one.ended_ns for one in driven])
    calls = [call for one in driven for call in made(agenda, one)]
    errors = _errors(driven)
    if storms:
        of = {int(turn): position for position, turn in enumerate(taken)}
        replies = [
            (storm, Reply(of[turn], errors.get(of[turn])))
            for turn, storm in enumerate(storm_of)
            if storm >= 0 and turn in of
        ]
        errors |= judged(storms, replies, storm_size)
    wrong = np.zeros(len(taken), dtype=bool)
    wrong[[position for position, error in errors.items() if error]] = True
    intended_ns = np.frombuffer(agenda.due_ns, dtype=np.int64)[taken]
    answered = end_ns <= agenda.give_up_ns
    in_time = end_ns <= agenda.close_ns
    right = answered & ~wrong
    tokens_ns = np.array([spent_ns(call) for call in calls], dtype=np.int64)
    free = np.concatenate([_free(one) for one in driven])
    lag_ns = start_ns - intended_ns
    operations = np.array([call.operation for call in calls])
    return Account(
        tally=Tally(
            offered=len(agenda.due_ns),
            ok=int((right & in_time).sum()),
            late=int((right & ~in_time).sum()),
            failed=int((answered & wrong).sum()),
            dropped=len(set(range(len(agenda.due_ns))) - set(taken.tolist())),
            in_flight=int((~answered).sum()),
        ),
        started=int((start_ns <= agenda.close_ns).sum()),
        errors=dict(
            Counter(e for position, e in errors.items() if e is not None and answered[position])
        ),
        response_ns={
            operation: histogram((end_ns - intended_ns)[right & (operations == operation)])
            for operation in dict.fromkeys(call.operation for call in calls)
        },
        service_ns=histogram((end_ns - start_ns - tokens_ns)[right]),
        lag_ns=histogram(lag_ns[right]),
        pacing_ns=histogram(lag_ns[right & (intended_ns >= free)]),
        tokens_ns=histogram(tokens_ns[right & (tokens_ns > 0)]),
        busy_ns=int((end_ns - start_ns).sum()),
        end_ns=int(end_ns.max(initial=agenda.close_ns)),
        exhausted=any(one.exhausted for one in driven),
    )


def _free(one: Driven) -> Numbers:
    """Give when the client had come free before each of its calls.

    Before its first it was never in one: a late beginning is the generator's, too.
    """
    return _joined([array("q", [0]), one.ended_ns])[: len(one.taken)]


def _errors(driven: Sequence[Driven]) -> dict[int, str | None]:
    """Give position among all clients' calls -> error."""
    found: dict[int, str | None] = {}
    before = 0
    for one in driven:
        found |= {before + position: error for position, error in one.errors.items()}
        before += len(one.taken)
    return found


def _joined(arrays: Sequence["array[int]"]) -> Numbers:
    return np.concatenate([np.frombuffer(one, dtype=np.int64) if one else _NONE for one in arrays])


_NONE: Numbers = np.empty(0, dtype=np.int64)
