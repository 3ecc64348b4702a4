"""Random short histories of a simulated store, right or with one defect, drawn from a seed.

Time is simulated: each call takes effect in one or two steps at drawn instants between its
beginning and its end, and the steps of all calls are executed in the order of those instants.
"""

import heapq
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from backends.store import Outcome
from scenarios.history import Event, Kind

DEFECTS = (
    "none",
    "read_then_write",
    "lost_update_of_revoked",
    "stale_verify",
    "revoke_is_late",
    "forgets_a_rotation",
    "sends_again",
    "reuse_is_not_committed",
    "everyone_is_a_thief",
    "issue_overtakes_logout",
    "verifies_any_token",
)
Steps = Generator[int, None, str | None]
"""Yields the instant of its next step, and returns its answer."""


@dataclass
class Row:
    """What the simulated store holds of its one family."""

    tokens: tuple[str, ...] = ()
    ended: bool = False


class Simulation:
    """One family, a few clients, and one defect."""

    def __init__(self, seed: int, defect: str) -> None:
        self.random = random.Random(seed)
        self.defect = defect
        self.now = 0
        self.row = Row()
        self.before = [Row()]
        self.subject_ended = False
        self.agenda: list[tuple[int, int, Steps, Event | None]] = []
        self._digests = count()
        self._ops = count(1)

    def digest(self) -> str:
        return f"t{next(self._digests)}"

    def later(self) -> int:
        """Draw the instant of a next step."""
        return self.now + self.random.choice((0, 1, 2, 3, 5, 8))

    def write(self, row: Row) -> None:
        self.before.append(self.row)
        self.row = row

    def judge(self, row: Row, shown: str, good: Outcome) -> Outcome:
        if shown not in row.tokens:
            return Outcome.UNKNOWN
        if row.ended:
            return Outcome.REVOKED
        return good if shown == row.tokens[-1] else Outcome.REUSED

    def issue(self, event: Event) -> Steps:
        ended = self.subject_ended
        yield self.later()
        if self.defect != "issue_overtakes_logout":
            ended = self.subject_ended
        self.write(Row((event.digest,), ended))
        yield self.later()
        return None

    def verify(self, event: Event) -> Steps:
        row = self.row
        if self.defect == "stale_verify":
            row = self.random.choice([self.row, *self.before[-2:]])
        outcome = self.judge(row, event.presented, Outcome.VALID)
        if self.defect == "verifies_any_token" and self.random.random() < 0.3:
            outcome = Outcome.VALID
        yield self.later()
        return outcome

    def rotate(self, event: Event) -> Steps:
        row = self.row
        if self.defect in {"read_then_write", "lost_update_of_revoked"}:
            yield self.later()
        if self.defect == "lost_update_of_revoked":
            row = Row(self.row.tokens, row.ended)
        outcome = self.judge(row, event.presented, Outcome.ROTATED)
        if self.defect == "everyone_is_a_thief" and self.random.random() < 0.2:
            outcome = Outcome.REUSED
        if outcome is Outcome.ROTATED and not (
            self.defect == "forgets_a_rotation" and self.random.random() < 0.3
        ):
            self.write(Row((*row.tokens, event.digest), row.ended))
        elif outcome is Outcome.REUSED and self.defect != "reuse_is_not_committed":
            self.write(replace(self.row, ended=True))
        yield self.later()
        if self.defect == "sends_again" and self.random.random() < 0.3:
            outcome = self.judge(self.row, event.presented, Outcome.ROTATED)
            if outcome is Outcome.REUSED:
                self.write(replace(self.row, ended=True))
            yield self.later()
        return outcome

    def revoke(self, event: Event) -> Steps:
        if self.defect == "revoke_is_late":
            heapq.heappush(self.agenda, (self.now + 6, next(self._ops), self._end(), None))
        else:
            self.write(replace(self.row, ended=True))
        yield self.later()
        return None

    def revoke_subject(self, event: Event) -> Steps:
        self.subject_ended = True
        if self.row.tokens:
            self.write(replace(self.row, ended=True))
        yield self.later()
        return None

    def _end(self) -> Steps:
        self.write(replace(self.row, ended=True))
        yield from ()
        return None

    def run(self, calls: int) -> Sequence[Event]:
        """Give the history of `calls` calls beside the issue."""
        known: list[str] = []
        events: dict[int, Event] = {}
        early_logout = self.random.random() < 0.2
        self._begin("issue", 0, known, events)
        if early_logout:
            self._begin("revoke_subject", self.random.choice((0, 1, 2)), known, events)
        at = 3 if self.random.random() < 0.5 else 12
        for _ in range(calls):
            at += self.random.choice((0, 0, 1, 2, 4, 9))
            heapq.heappush(self.agenda, (at, next(self._ops), self._caller(known, events), None))
        while self.agenda:
            self.now, order, steps, event = heapq.heappop(self.agenda)
            try:
                heapq.heappush(self.agenda, (next(steps), order, steps, event))
            except StopIteration as stop:
                if event is not None:
                    self._settle(event, stop.value, known, events)
        return sorted(events.values(), key=lambda event: event.invoke_ns)

    def _caller(self, known: list[str], events: dict[int, Event]) -> Steps:
        """Begin a call when its time has come: only then is it known which tokens there are."""
        kinds: Sequence[Kind] = ("rotate",) * 5 + ("verify",) * 4 + ("revoke",)
        kind = self.random.choice(kinds)
        # Nobody logs out of a session that he was not given yet.
        if kind == "revoke" and not known:
            kind = "verify"
        self._begin(kind, self.now + (kind == "revoke"), known, events)
        yield from ()
        return None

    def _begin(self, kind: Kind, at: int, known: list[str], events: dict[int, Event]) -> None:
        shown = kind in {"rotate", "verify"}
        recent = known[-2:] + known[-1:] * 3 or ["t0"]
        event = Event(
            op=next(self._ops),
            instance=0,
            family="f",
            kind=kind,
            generation=0,
            digest=self.digest() if kind in {"issue", "rotate"} else "",
            presented=self.random.choice(recent) if shown else "",
            invoke_ns=at,
        )
        events[event.op] = event
        operation: Callable[[Event], Steps] = getattr(self, kind)
        heapq.heappush(
            self.agenda, (at + self.random.randrange(3), event.op, operation(event), event)
        )

    def _settle(
        self, event: Event, outcome: str | None, known: list[str], events: dict[int, Event]
    ) -> None:
        lost = self.random.random() < 0.12 and event.kind != "issue"
        if not lost:
            event = replace(event, return_ns=self.now, status="ok", outcome=outcome)
        if event.kind == "issue" or outcome == Outcome.ROTATED:
            # Shown also where the answer was lost: a client can derive the token it asked for.
            known.append(event.digest)
        events[event.op] = event


def history(seed: int) -> tuple[str, Sequence[Event]]:
    """Give the defect that the seed draws, and a history of it."""
    rng = random.Random(f"history {seed}")
    defect = rng.choice((*DEFECTS, "none", "none"))
    return defect, Simulation(seed, defect).run(rng.randrange(2, 11))
