"""A search for an order of operations that explains a history: the cross-check of the checkers.

Wing and Gong's search as Lowe bounds it: try every operation that may come next, remember which
(set of operations, state) was tried. Families don't touch one another, so each is searched alone.
Exponential at worst, hence bounded: past the bound it is undecided.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from backends.store import Outcome
from scenarios.checkers.lineage import end_ns
from scenarios.history import Event

FREE = frozenset({Outcome.EXPIRED, Outcome.DEVICE_MISMATCH})
"""Answers that depend on what a history doesn't tell, and change nothing."""


class Found(StrEnum):
    """How a search ended."""

    YES = "linearizable"
    NO = "not linearizable"
    UNDECIDED = "undecided"


class State(NamedTuple):
    """A session as the simplest right store would hold it."""

    tokens: tuple[str, ...] = ()
    """Digests from the issued token to the current one; none before the issue."""
    ended: bool = False


def search(events: Sequence[Event], most_tried: int) -> Found:
    """Look for an order of one family's events; those that never were executed don't count.

    It gives up after `most_tried` states: undecided.
    """
    calls = [event for event in events if event.status != "fail"]
    answered = sum(1 << n for n, event in enumerate(calls) if event.status == "ok")
    ends_ns = [end_ns(event) for event in calls]
    tried: set[tuple[int, State]] = set()
    waiting = [(0, State())]
    while waiting:
        done, state = waiting.pop()
        if done & answered == answered:
            return Found.YES
        if (done, state) in tried:
            continue
        if len(tried) >= most_tried:
            return Found.UNDECIDED
        tried.add((done, state))
        left = [n for n in range(len(calls)) if not done >> n & 1]
        # Whatever begins after another has returned can't come before it.
        first_end_ns = min(ends_ns[n] for n in left)
        for n in reversed(left):
            if calls[n].invoke_ns <= first_end_ns:
                after = step(state, calls[n])
                if after is not None:
                    waiting.append((done | 1 << n, after))
    return Found.NO


def step(state: State, event: Event) -> State | None:
    """Give the state after an event, or None if the event can't be answered so in `state`."""
    match event.kind:
        case "issue":
            return State((event.digest,), state.ended) if not state.tokens else state
        case "revoke":
            return state._replace(ended=True) if state.tokens else state
        case "revoke_subject":
            return state._replace(ended=True)
        case "verify" | "rotate":
            return _shown(state, event)


def _shown(state: State, event: Event) -> State | None:
    answers = _answers(state, event)
    if event.status == "ok" and event.outcome not in answers | FREE:
        return None
    if event.kind == "verify" or event.outcome in FREE:
        return state
    # An unanswered rotation does what it does; without grace there is one thing that it can do.
    outcome = event.outcome if event.status == "ok" else next(iter(answers - {Outcome.GRACE}))
    match outcome:
        case Outcome.ROTATED:
            return state._replace(tokens=(*state.tokens, event.digest))
        case Outcome.REUSED:
            return state._replace(ended=True)
        case _:
            return state


def _answers(state: State, event: Event) -> frozenset[Outcome]:
    """Give what a right store may say of the token that is shown."""
    if event.presented not in state.tokens:
        return frozenset({Outcome.UNKNOWN})
    if state.ended:
        return frozenset({Outcome.REVOKED})
    if event.presented == state.tokens[-1]:
        return frozenset({Outcome.VALID if event.kind == "verify" else Outcome.ROTATED})
    if event.presented == state.tokens[-2]:
        return frozenset({Outcome.REUSED, Outcome.GRACE})
    return frozenset({Outcome.REUSED})
