"""The life of one family as its history tells it: which token came from which, and what ended it.

Every token has a digest of its own, so each successful rotation names the token before it and the
one after. In a right store they form one path from the issued token. An operation that was never
answered may have taken effect: it is on the path where its token was known to the store later.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from backends.store import Outcome
from scenarios.history import Event

NEVER = 1 << 63
"""Later than any instant: when an operation that was never answered returns."""
REVOCATIONS = frozenset({"revoke", "revoke_subject"})
GOOD = frozenset({Outcome.VALID, Outcome.ROTATED, Outcome.GRACE})
"""Answers that let the bearer in."""
KNOWN = GOOD | {Outcome.REUSED, Outcome.REVOKED}
"""Answers about a token that the store did make."""


class Step(NamedTuple):
    """A write on the path: which token it made, and when it may have taken effect."""

    op: int
    digest: str
    invoke_ns: int
    return_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One family."""

    family: str
    path: Sequence[Step]
    """From the issue to the last token, or to where it forks."""
    forks: Sequence[Sequence[Event]]
    """Rotations of one and the same token that all took effect."""
    strays: Sequence[Event]
    """Operations that knew a token which nothing in the history made."""
    killers: Sequence[Event]
    """What may have ended the family: revocations, and rotations that met or may have met reuse."""
    answers: Sequence[Event]
    """Everything that was answered, in order of invocation."""

    @property
    def is_path(self) -> bool:
        """Whether what took effect is one path; otherwise nothing more can be asked of it."""
        return not self.forks and not self.strays


def families(history: Iterable[Event]) -> Mapping[str, Sequence[Event]]:
    """Sort events by family; those known not to have been executed are left out."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in history:
        if event.status != "fail":
            found[event.family].append(event)
    return found


def end_ns(event: Event) -> int:
    """Give the instant by which an event has taken effect, if it ever does."""
    if event.status == "unknown" or event.return_ns is None:
        return NEVER
    return event.return_ns


def readings(family: str, events: Sequence[Event]) -> Sequence[Lineage]:
    """Give the ways to read what one family's events tell: one, or two.

    An unanswered rotation of the last token, whose own token nobody met since, may have taken
    effect or not. Of several, the earliest: whatever another could explain, it can.
    """
    rotations = [event for event in events if event.kind == "rotate"]
    answers = [event for event in events if event.status == "ok"]
    known = {event.presented for event in answers if event.outcome in KNOWN}
    after: dict[str, list[Event]] = defaultdict(list)
    for event in rotations:
        if event.outcome == Outcome.ROTATED or (
            event.status == "unknown" and event.digest in known
        ):
            after[event.presented].append(event)
    issues = [event for event in events if event.kind == "issue"][:1]
    made = {event.digest for event in issues}.union(e.digest for es in after.values() for e in es)
    path = _path(issues, after)
    forks = [several for several in after.values() if len(several) > 1]
    strays = [event for event in answers if event.presented in known - made]
    last = path[-1].digest if path else ""
    unseen = [
        event
        for event in rotations
        if event.status == "unknown" and event.presented == last and last not in after
    ]
    return [
        Lineage(
            family=family,
            path=steps,
            forks=forks,
            strays=strays,
            killers=_killers(events, steps),
            answers=answers,
        )
        for steps in (path, *([*path, _step(event)] for event in unseen[:1]))
    ]


def _path(issues: Sequence[Event], after: Mapping[str, Sequence[Event]]) -> Sequence[Step]:
    path = [_step(event) for event in issues]
    met = {step.digest for step in path}
    while path and len(following := after.get(path[-1].digest, ())) == 1:
        step = _step(following[0])
        # A token that comes back closes a circle.
        if step.digest in met:
            break
        met.add(step.digest)
        path.append(step)
    return path


def _step(event: Event) -> Step:
    return Step(event.op, event.digest, event.invoke_ns, end_ns(event))


def _killers(events: Sequence[Event], path: Sequence[Step]) -> Sequence[Event]:
    replaced = {step.digest for step in path[:-1]}
    on_path = {step.op for step in path}
    return [
        event
        for event in events
        if event.kind in REVOCATIONS
        or (event.kind == "rotate" and event.outcome == Outcome.REUSED)
        or (
            event.kind == "rotate"
            and event.status == "unknown"
            and event.op not in on_path
            and event.presented in replaced
        )
    ]
