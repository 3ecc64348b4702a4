"""The consistency judge: who saw what, and how many won, counted from hand-made observations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

import backends
from backends.store import Capabilities, No
from scenarios import checkers
from scenarios.checkers.anomaly import Anomaly
from scenarios.consistency import (
    SCENARIO,
    ConsistencyParameters,
    Races,
    Visibility,
    cases,
    companions,
    judge,
)
from scenarios.history import Event, Kind
from scenarios.phases.observe import Observe, Observed, Sighting
from scenarios.phases.race import Contest, Race, Raced
from scenarios.scenario import Effort

RACY = f"{Path(__file__).parent / 'racy_store.py'}:make"
Calls = Sequence[tuple[int, int, str]]
"""One race: begin, end and answer of each call."""


def raced(*rounds: Calls, instances: int = 3) -> Races:
    """Judge some races for one token each."""
    [found] = judge([races(*rounds, instances=instances)]).races
    return found


def races(*rounds: Calls, instances: int = 3) -> Raced:
    phase = Race(instances=instances, rounds=len(rounds))
    history = [event for number, calls in enumerate(rounds) for event in race(f"f{number}", calls)]
    return Raced(phase=phase, history=history)


def race(family: str, calls: Calls) -> Sequence[Event]:
    issue = Event(
        op=0, instance=0, family=family, kind="issue", generation=0, digest="a",
        invoke_ns=0, return_ns=1, status="ok",
    )  # fmt: skip
    return [
        issue,
        *(
            Event(
                op=op,
                instance=op,
                family=family,
                kind="rotate",
                generation=1,
                digest=f"b{op}",
                presented="a",
                invoke_ns=10 + begin,
                return_ns=10 + end,
                status="unknown" if answer == "AnswerLost" else "ok",
                outcome=answer,
            )
            for op, (begin, end, answer) in enumerate(calls, 1)
        ),
    ]


def together(*answers: str) -> Calls:
    return [(0, 9, answer) for answer in answers]


def apart(*answers: str) -> Calls:
    return [(10 * number, 10 * number + 9, answer) for number, answer in enumerate(answers)]


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
    none = raced(apart("rotated", "reused", "revoked"))
    assert (none.contested, none.winners) == (0, {})


def test_each_number_of_instances_is_judged_by_itself() -> None:
    """In the order they were run in."""
    observations = [
        races(together("rotated", "reused"), instances=2),
        races(together(*["rotated"] * 8), instances=8),
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


@pytest.mark.parametrize(
    ("calls", "contested"),
    [
        ([(0, 9, "rotated"), (5, 20, "reused"), (30, 31, "reused")], 1),
        ([(5, 20, "reused"), (0, 9, "rotated")], 1),
        ([(0, 9, "rotated"), (10, 20, "reused"), (15, 25, "revoked")], 0),
        ([(0, 9, "expired"), (10, 20, "rotated")], 0),
        ([(0, 9, "unknown"), (5, 20, "unknown")], 1),
    ],
)
def test_a_race_is_contested_where_a_call_met_the_winners(calls: Calls, contested: int) -> None:
    """Losers that overlap one another when the winner is long done prove nothing."""
    assert raced(calls).contested == contested


def ended(contest: Contest, *calls: tuple[Kind, int, int, str | None]) -> Races:
    """Judge one race in which somebody ends what others use, and a look afterwards."""
    history = [
        Event(
            op=op, instance=op, family="f", kind=kind, generation=0,
            digest="b" if kind == "rotate" else "a", presented="" if answer is None else "a",
            invoke_ns=begin, return_ns=end, status="ok", outcome=answer,
        )
        for op, (kind, begin, end, answer) in enumerate(calls)
    ]  # fmt: skip
    phase = Race(instances=2, rounds=1, contest=contest)
    [found] = judge([Raced(phase=phase, history=history)]).races
    return found


def test_a_session_that_outlives_its_logout_is_found() -> None:
    """The look afterwards finds it good; and the search for an order says the same."""
    found = ended(
        "revoke",
        ("issue", 0, 1, None),
        ("rotate", 2, 8, "revoked"),
        ("revoke", 3, 7, None),
        ("verify", 9, 10, "valid"),
    )
    assert (found.contested, found.anomalies) == (1, {"alive after revoke": 1})
    assert (found.orders, found.disagreements) == ({"not linearizable": 1}, 0)
    assert found.winners == {}


def test_a_login_that_outlives_the_end_of_all_is_found() -> None:
    """It was under way when all of its subject's sessions were ended."""
    found = ended(
        "logout-all",
        ("issue", 2, 8, None),
        ("revoke_subject", 3, 7, None),
        ("verify", 9, 10, "valid"),
    )
    assert (found.contested, found.anomalies) == (1, {"alive after revoke": 1})


def test_a_refusal_that_nothing_explains_is_a_false_alarm() -> None:
    """A driver that sends again what was not answered ends its own session as stolen."""
    found = raced(together("reused", "revoked"))
    assert found.anomalies == {"false alarm": 1}
    assert found.double_spends == 0


def test_what_could_not_be_raced_says_why() -> None:
    """No rounds, no verdict, and the reason."""
    phase = Race(instances=2, rounds=9, mishap="paused server")
    [found] = judge([Raced(phase=phase, history=[], unsuited="no server")]).races
    assert (found.rounds, found.unsuited, found.mishap) == (0, "no server", "paused server")


def test_a_checker_that_crashes_is_not_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings say which, and why."""

    def crash(history: Sequence[Event]) -> Sequence[Anomaly]:
        raise KeyError("lost")

    monkeypatch.setitem(checkers.CHECKERS, "double spend", crash)
    found = raced(together("rotated", "reused"))
    assert found.undecided == {"double spend": "KeyError: 'lost'"}
    assert found.disagreements == 0


def test_each_store_is_accompanied_by_its_naive_way() -> None:
    """In the profile of its first subject; where a store names none, by files; nothing twice."""

    def company(*specs: str) -> Sequence[str]:
        subjects = [backends.resolve(spec) for spec in specs]
        return [one.spec for one in companions(ConsistencyParameters(trials=1), subjects)]

    specs = ["redis:none", "redis:aof-always", "redis-py:none", "postgres-sqlalchemy:sync"]
    assert company(*specs) == ["redis-naive:none", "postgres-naive:sync"]
    assert company("redis:none@sentinel") == ["redis-naive:none"]
    assert company(RACY, "cookie:signed") == ["files-naive:fsync"]
    assert company("redis-naive:none") == []


@pytest.mark.parametrize("instances", [(2,), (2, 4, 8)])
def test_one_trial_takes_every_number_of_instances(instances: tuple[int, ...]) -> None:
    """First they watch each other, then they race; mishaps come last."""
    parameters = ConsistencyParameters(
        trials=3,
        instances=instances,
        sightings=5,
        races=7,
        endings=4,
        mishaps=("lost answers",),
        mishap_races=6,
    )
    [case] = cases(parameters, Capabilities())
    assert case.trials == 3
    assert list(case.phases) == [
        *(
            phase
            for number in instances
            for phase in (
                Observe(instances=number, rounds=5),
                Race(instances=number, rounds=7),
                Race(instances=number, rounds=4, contest="revoke"),
                Race(instances=number, rounds=4, contest="logout-all"),
            )
        ),
        Race(instances=4, rounds=6, mishap="lost answers"),
    ]


def test_a_store_that_cannot_revoke_is_not_asked_to() -> None:
    """It has no logout to race."""
    parameters = ConsistencyParameters(trials=1)
    [case] = cases(parameters, Capabilities(revokes=No("nothing to mark")))
    assert {phase.contest for phase in case.phases if isinstance(phase, Race)} == {"rotate"}


def test_thorough_effort_races_often_enough() -> None:
    """For at least 10^5 tokens of each store, by up to 16 instances: docs/method.md says so."""
    thorough = SCENARIO.presets[Effort.THOROUGH]
    assert isinstance(thorough, ConsistencyParameters)
    assert thorough.trials * len(thorough.instances) * thorough.races >= 100_000
    assert max(thorough.instances) == 16
