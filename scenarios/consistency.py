"""Several app instances on one store: does each see the others, and has a race one winner."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from backends.store import Capabilities, Outcome
from scenarios.phases.observe import Observe, Observed
from scenarios.phases.race import Race, Raced
from scenarios.scenario import Case, Effort, Findings, Observation, Parameters, Phase, Scenario


class ConsistencyParameters(Parameters, frozen=True):
    """Parameters of `consistency`."""

    instances: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (2, 4, 8)
    """App instances, each a process of its own."""
    sightings: PositiveInt = 30
    """Rounds of one instance acting and every other looking, per number of instances."""
    races: PositiveInt = 100
    """Tokens rotated by every instance at once, per number of instances."""


class Visibility(Findings):
    """How many looks, right after an acknowledgement, saw the act."""

    act: str
    instances: int
    looks: int
    seen: int
    largest_delay_ns: int
    """The latest that a look came after the acknowledgement."""


class Races(Findings):
    """How races among a number of instances ended."""

    instances: int
    rounds: int
    contested: int
    """Rounds that count: a call overlapped the winner's, or several won, which no order excuses."""
    winners: dict[int, int]
    """Number of winners -> contested rounds."""
    outcomes: dict[str, int]
    """What the calls were answered, over all rounds."""

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
    """One trial takes a fresh store through every number of instances."""
    del capabilities
    phases: list[Phase] = []
    for instances in parameters.instances:
        phases.append(Observe(instances=instances, rounds=parameters.sightings))
        phases.append(Race(instances=instances, rounds=parameters.races))
    return [Case(name="instances", phases=phases, trials=parameters.trials)]


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
    won = [(race, race.outcomes.count(Outcome.ROTATED)) for race in seen.rounds]
    winners = Counter(winners for race, winners in won if race.contested or winners > 1)
    outcomes = Counter(outcome for race in seen.rounds for outcome in race.outcomes)
    return Races(
        instances=seen.phase.instances,
        rounds=len(seen.rounds),
        contested=winners.total(),
        winners=dict(winners),
        outcomes=dict(outcomes),
    )


SCENARIO = Scenario(
    name="consistency",
    title="Consistency between instances",
    summary="2 to 8 app instances on one store: what each sees, and how many win one race",
    parameters=ConsistencyParameters,
    presets={
        Effort.QUICK: ConsistencyParameters(trials=1, instances=(2, 8)),
        Effort.STANDARD: ConsistencyParameters(trials=5, sightings=100, races=300),
        Effort.THOROUGH: ConsistencyParameters(trials=20, sightings=300, races=1_000),
    },
    cases=cases,
    judge=judge,
    findings=ConsistencyFindings,
)
