"""What is said of races in plain words."""

from backends.store import Durability
from bench.analysis import summary
from bench.record import SubjectFacts
from bench.report.race_words import race_points
from scenarios.consistency import ConsistencyFindings, Races
from tests import records


def races(contest: str, harm: int, alarms: int = 0) -> Races:
    if contest == "rotate":
        winners, anomalies = {1: 40 - harm, 2: harm}, {}
    else:
        winners, anomalies = {}, {"alive after revoke": harm, "false alarm": alarms}
    return Races(
        instances=2,
        contest=contest,
        rounds=50,
        contested=40,
        winners={won: rounds for won, rounds in winners.items() if rounds},
        outcomes={},
        anomalies=anomalies,
    )


def said(mine: list[Races], naive: list[Races]) -> dict[str, str]:
    facts = [
        SubjectFacts(
            label=label,
            spec=label,
            backend="a",
            title="A",
            durability=Durability.CRASH,
            lacking={},
            naive=label == "a-naive",
        )
        for label in ("a", "a-naive")
    ]
    trials = [
        records.trial(
            fact.label,
            "consistency",
            "instances",
            1,
            ConsistencyFindings(visibility=[], races=found, errors={}),
        )
        for fact, found in zip(facts, (mine, naive), strict=True)
    ]
    found = summary(records.run_of(facts, trials), trials)
    return dict(race_points(found, {fact.label: fact.label for fact in facts}))


def test_who_won_alone_is_told_beside_who_did_not() -> None:
    """The naive ways are named as what they are there for."""
    points = said([races("rotate", 0)], [races("rotate", 7)])
    words = points["Races for one token."]
    assert "the naive ways, which are there for that: a-naive (up to 2, 7 of 40 races)" in words
    assert "Never more than one, with the number of races: a (40)" in words


def test_races_that_end_sessions_are_told_too() -> None:
    """Lost, not lost, refused for nothing, and whether anybody shows that it could be seen."""
    title = "Races that end sessions, or amid mishaps."
    lost = said([races("rotate", 0), races("revoke", 3, 2)], [races("rotate", 7)])[title]
    assert "Lost: a 3 of 40." in lost
    assert "for nothing that anyone did: a 2 times." in lost
    kept = said([races("rotate", 0), races("revoke", 0)], [races("revoke", 0)])[title]
    assert "Not one lost, with the number of races: a (40)." in kept
    assert "nothing shows that it could be seen" in kept
