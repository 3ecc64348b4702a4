"""The consistency judge: who saw what, and how many won, counted from hand-made observations."""

from typing import Literal

import pytest

from backends.store import Capabilities
from scenarios.consistency import ConsistencyParameters, Races, Visibility, cases, judge
from scenarios.phases.observe import Observe, Observed, Sighting
from scenarios.phases.race import Race, Raced, RaceRound


def raced(*rounds: RaceRound, instances: int = 3) -> Races:
    """Judge some races."""
    phase = Race(instances=instances, rounds=len(rounds))
    [found] = judge([Raced(phase=phase, rounds=rounds)]).races
    return found


def together(*outcomes: str) -> RaceRound:
    return RaceRound(outcomes=outcomes, contested=True)


def apart(*outcomes: str) -> RaceRound:
    return RaceRound(outcomes=outcomes, contested=False)


def look(act: Literal["issue", "rotate", "revoke"], *, seen: bool, delay_ns: int) -> Sighting:
    return Sighting(act=act, seen=seen, delay_ns=delay_ns)


def test_one_winner_a_race_is_as_it_should_be() -> None:
    """Whatever the losers are told."""
    found = raced(
        together("rotated", "reused", "revoked"),
        together("revoked", "rotated", "reused"),
        together("grace", "grace", "rotated"),
    )
    assert (found.contested, found.winners, found.double_spends) == (3, {1: 3}, 0)
    assert found.outcomes == {"rotated": 3, "reused": 2, "revoked": 2, "grace": 2}


def test_several_winners_are_a_double_spend() -> None:
    """Each race that more than one won, however many."""
    found = raced(
        together("rotated", "rotated", "reused"),
        together("rotated", "rotated", "rotated"),
        together("reused", "rotated", "revoked"),
    )
    assert (found.winners, found.double_spends) == ({1: 1, 2: 1, 3: 1}, 2)


def test_calls_that_did_not_overlap_prove_nothing() -> None:
    """One winner among calls that came one after another was never in doubt."""
    found = raced(apart("rotated", "reused", "revoked"), together("rotated", "reused", "revoked"))
    assert (found.rounds, found.contested, found.winners) == (2, 1, {1: 1})
    assert found.outcomes["rotated"] == 2


def test_a_double_spend_counts_however_its_calls_fell() -> None:
    """Two winners one after the other are worse, not better: no order of them excuses it."""
    found = raced(apart("rotated", "rotated", "reused"), apart("rotated", "reused", "revoked"))
    assert (found.contested, found.winners, found.double_spends) == (1, {2: 1}, 1)


def test_a_race_that_nobody_won_is_counted_as_such() -> None:
    """A token that everybody is refused is no double spend, and not hidden among the rest."""
    found = raced(together("reused", "revoked", "revoked"), together("rotated", "reused", "x"))
    assert (found.winners, found.double_spends) == ({0: 1, 1: 1}, 0)


def test_a_call_that_was_not_answered_is_no_winner() -> None:
    """It may have won; its name is among the outcomes."""
    found = raced(together("AnswerLost", "reused", "reused"))
    assert found.winners == {0: 1}
    assert found.outcomes == {"AnswerLost": 1, "reused": 2}


def test_without_races_nothing_is_claimed() -> None:
    """No rounds, or none that counts, leave no winners at all."""
    assert raced().winners == {}
    none = raced(apart("rotated", "reused", "reused"))
    assert (none.contested, none.winners) == (0, {})


def test_each_number_of_instances_is_judged_by_itself() -> None:
    """In the order they were run in."""
    phases = [Race(instances=instances, rounds=1) for instances in (2, 8)]
    observations = [
        Raced(phase=phases[0], rounds=[together("rotated", "reused")]),
        Raced(phase=phases[1], rounds=[together(*["rotated"] * 8)]),
    ]
    assert [(found.instances, found.winners) for found in judge(observations).races] == [
        (2, {1: 1}),
        (8, {8: 1}),
    ]


def test_sightings_are_counted_by_act() -> None:
    """How many looks saw it, and the latest that a look came."""
    seen = Observed(
        phase=Observe(instances=2, rounds=2),
        sightings=[
            look("rotate", seen=True, delay_ns=30),
            look("issue", seen=True, delay_ns=10),
            look("issue", seen=False, delay_ns=20),
            look("revoke", seen=False, delay_ns=5),
        ],
        errors={"NotSent": 1},
    )
    findings = judge([seen])
    assert findings.visibility == [
        Visibility(act="issue", instances=2, looks=2, seen=1, largest_delay_ns=20),
        Visibility(act="revoke", instances=2, looks=1, seen=0, largest_delay_ns=5),
        Visibility(act="rotate", instances=2, looks=1, seen=1, largest_delay_ns=30),
    ]
    assert findings.errors == {"NotSent": 1}


def test_errors_of_all_phases_add_up() -> None:
    """Kind -> count."""
    phase = Observe(instances=2, rounds=1)
    observations = [
        Observed(phase=phase, sightings=[], errors={"NotSent": 1, "AnswerLost": 2}),
        Observed(phase=phase, sightings=[], errors={"NotSent": 3}),
    ]
    assert judge(observations).errors == {"NotSent": 4, "AnswerLost": 2}


@pytest.mark.parametrize("instances", [(2,), (2, 4, 8)])
def test_one_trial_takes_every_number_of_instances(instances: tuple[int, ...]) -> None:
    """First they watch each other, then they race."""
    parameters = ConsistencyParameters(trials=3, instances=instances, sightings=5, races=7)
    [case] = cases(parameters, Capabilities())
    assert case.trials == 3
    assert list(case.phases) == [
        phase
        for number in instances
        for phase in (Observe(instances=number, rounds=5), Race(instances=number, rounds=7))
    ]
