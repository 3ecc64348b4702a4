"""Several app instances on one store: does each see the others, and who wins when they meet.

They rotate one token at once; one logs a session out while the others rotate it; one ends all
sessions of a subject while the others log it in. In good health, while answers are lost, while the
server stands still, while an instance does. The checkers of `scenarios.checkers` judge every
history, and a search for an order cross-checks them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, islice
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

import backends
from backends import Subject
from backends.store import Capabilities, Outcome
from scenarios.checkers import judgement
from scenarios.checkers.lineage import REVOCATIONS
from scenarios.history import Event
from scenarios.phases.observe import Observe, Observed
from scenarios.phases.race import Contest, Race, Raced
from scenarios.scenario import (
    Case,
    Companion,
    Effort,
    Findings,
    Observation,
    Parameters,
    Phase,
    Scenario,
)

SEARCHED = 200
"""Families of a phase that are searched for an order, as a cross-check."""


STRANGERS = "files-naive:fsync"
"""For stores that name no naive way."""


class ConsistencyParameters(Parameters, frozen=True):
    """Parameters of `consistency`."""

    instances: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (2, 4, 8)
    """App instances, each a process of its own."""
    sightings: PositiveInt = 30
    """Rounds of one instance acting and every other looking, per number of instances."""
    races: PositiveInt = 100
    """Tokens rotated by every instance at once, per number of instances."""
    endings: PositiveInt = 30
    """Sessions logged out while they are rotated, and subjects whose sessions are all ended while
    they log in, per number of instances."""
    mishaps: tuple[Literal["lost answers", "paused server", "paused instance"], ...] = (
        "lost answers",
        "paused server",
        "paused instance",
    )
    """What goes wrong while tokens are rotated by several at once; where the store has it."""
    mishap_instances: Annotated[int, Field(ge=2)] = 4
    """App instances that race amid mishaps."""
    mishap_races: PositiveInt = 20
    """Tokens rotated by every instance at once, per mishap."""


class Visibility(Findings):
    """How many looks, right after an acknowledgement, saw the act."""

    act: str
    instances: int
    looks: int
    seen: int
    largest_delay_ns: int
    """The latest that a look came after the acknowledgement."""


class Races(Findings):
    """How races of one kind among a number of instances ended."""

    instances: int
    contest: str = "rotate"
    """What met: rotate; revoke (a logout, and rotations); logout-all (the end of all of a subject's
    sessions, and logins)."""
    mishap: str = "none"
    mishaps: int = 0
    """How often the mishap happened."""
    unsuited: str = ""
    """Why there was nothing to race here; empty where there was."""
    rounds: int
    """Families that were raced for."""
    contested: int
    """Rounds that count: a call overlapped the winner's (or the ending), or a checker found
    something, which no order excuses."""
    winners: dict[int, int]
    """Number of winners -> contested rounds, where all rotated."""
    outcomes: dict[str, int]
    """What the calls were answered, over all rounds."""
    anomalies: dict[str, int] = Field(default_factory=dict)
    """Checker -> families in which it found something."""
    undecided: dict[str, str] = Field(default_factory=dict)
    """Checker -> why it could not tell. Never a pass."""
    orders: dict[str, int] = Field(default_factory=dict)
    """How the search for an order ended -> families; it takes the first of a phase."""
    disagreements: int = 0
    """Families on which the search and the checkers say otherwise: a fault of this suite."""

    @property
    def double_spends(self) -> int:
        """Contested rounds with more than one winner."""
        return sum(rounds for winners, rounds in self.winners.items() if winners > 1)


class ConsistencyFindings(Findings):
    """What one trial of `consistency` found."""

    visibility: list[Visibility]
    races: list[Races]
    errors: dict[str, int]


def cases(parameters: ConsistencyParameters, capabilities: Capabilities) -> Sequence[Case]:
    """One trial takes a fresh store through every number of instances, and every mishap."""
    phases: list[Phase] = []
    contests: Sequence[Contest] = ("revoke", "logout-all") if capabilities.revokes else ()
    for instances in parameters.instances:
        phases.append(Observe(instances=instances, rounds=parameters.sightings))
        phases.append(Race(instances=instances, rounds=parameters.races))
        phases.extend(
            Race(instances=instances, rounds=parameters.endings, contest=contest)
            for contest in contests
        )
    phases.extend(
        Race(instances=parameters.mishap_instances, rounds=parameters.mishap_races, mishap=mishap)
        for mishap in parameters.mishaps
    )
    return [Case(name="instances", phases=phases, trials=parameters.trials)]


def companions(
    parameters: ConsistencyParameters, subjects: Sequence[Subject]
) -> Sequence[Companion]:
    """Give the naive way of using each store, in the profile that its first subject has."""
    del parameters
    found: dict[str, str] = {}
    for subject in subjects:
        if subject.backend.naive:
            continue  # It loses races itself.
        naive = backends.naive_way(subject)
        if naive is None:
            found.setdefault(STRANGERS, STRANGERS)
        else:
            found.setdefault(naive.backend.name, naive.spec)
    return [Companion(spec) for spec in found.values()]


def judge(observations: Sequence[Observation]) -> ConsistencyFindings:
    """Count who saw what, and who won."""
    errors: Counter[str] = Counter()
    visibility: list[Visibility] = []
    races: list[Races] = []
    for seen in observations:
        if isinstance(seen, Observed):
            errors.update(seen.errors)
            visibility.extend(_visibility(seen))
        elif isinstance(seen, Raced):
            races.append(_races(seen))
    return ConsistencyFindings(visibility=visibility, races=races, errors=dict(errors))


def _visibility(seen: Observed) -> Sequence[Visibility]:
    acts = sorted({sighting.act for sighting in seen.sightings})
    by_act = {act: [one for one in seen.sightings if one.act == act] for act in acts}
    return [
        Visibility(
            act=act,
            instances=seen.phase.instances,
            looks=len(looks),
            seen=sum(look.seen for look in looks),
            largest_delay_ns=max(look.delay_ns for look in looks),
        )
        for act, looks in by_act.items()
    ]


def _races(seen: Raced) -> Races:
    by_family: dict[str, list[Event]] = defaultdict(list)
    for event in seen.history:
        by_family[event.family].append(event)
    met = {family: _met(events, seen.phase.contest) for family, events in by_family.items()}
    found = judgement.judge(seen.history, dict(islice(by_family.items(), SEARCHED)))
    contested = [
        sum(event.outcome == Outcome.ROTATED for event in calls)
        for family, calls in met.items()
        if family in found.suspects or _overlapped(calls)
    ]
    return Races(
        instances=seen.phase.instances,
        contest=seen.phase.contest,
        mishap=seen.phase.mishap,
        mishaps=seen.mishaps,
        unsuited=seen.unsuited,
        rounds=len(met),
        contested=len(contested),
        winners=dict(Counter(contested)) if seen.phase.contest == "rotate" else {},
        outcomes=dict(Counter(_said(event) for calls in met.values() for event in calls)),
        anomalies=found.anomalies,
        undecided=found.undecided,
        orders=found.orders,
        disagreements=found.disagreements,
    )


def _met(events: Sequence[Event], contest: Contest) -> Sequence[Event]:
    """Give the calls that met in a family's race."""
    kinds: Mapping[Contest, AbstractSet[str]] = {
        "rotate": {"rotate"},
        "revoke": {"rotate", "revoke"},
        "logout-all": {"issue", "revoke_subject"},
    }
    return [event for event in events if event.kind in kinds[contest]]


def _overlapped(calls: Sequence[Event]) -> bool:
    """Whether a call overlapped the one that decides: the ending, the winner's, or the first.

    Losers that meet one another when the winner is long done were never in its way.
    """
    endings = (event for event in calls if event.kind in REVOCATIONS)
    winners = (event for event in calls if event.outcome == Outcome.ROTATED)
    decisive = next(chain(endings, winners, calls))
    return any(
        one.invoke_ns < _left_ns(decisive) and decisive.invoke_ns < _left_ns(one)
        for one in calls
        if one is not decisive
    )


def _left_ns(event: Event) -> int:
    """Give when whoever called was done with it, answered or not."""
    assert event.return_ns is not None, event
    return event.return_ns


def _said(event: Event) -> str:
    return event.outcome or event.kind


SCENARIO = Scenario(
    name="consistency",
    title="Consistency between instances",
    summary="2 to 16 app instances on one store: what each sees, and who wins when they meet",
    parameters=ConsistencyParameters,
    presets={
        # Every store is accompanied by its naive way, and all of it has a minute. Of fewer than
        # three that race amid lost answers one is left, which can't show what it would lose.
        Effort.QUICK: ConsistencyParameters(
            trials=1,
            instances=(2, 8),
            sightings=5,
            races=40,
            endings=10,
            mishaps=("paused server", "paused instance"),
            mishap_instances=3,
            mishap_races=6,
        ),
        Effort.STANDARD: ConsistencyParameters(
            trials=5, instances=(2, 4, 8, 16), sightings=100, races=300, endings=100
        ),
        # 120,000 races for one token for each store, and half as many that end sessions.
        Effort.THOROUGH: ConsistencyParameters(
            trials=20,
            instances=(2, 4, 8, 16),
            sightings=300,
            races=1_500,
            endings=400,
            mishap_races=200,
        ),
    },
    cases=cases,
    judge=judge,
    findings=ConsistencyFindings,
    companions=companions,
    naive=True,
)
