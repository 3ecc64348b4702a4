"""What a report says of the search for an order, which the checkers' verdicts are held to."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from bench.analysis import Summary
from bench.record import Trial
from bench.report import short_table
from bench.report.cross_check import cross_checked
from bench.report.figures import frame
from scenarios.consistency import ConsistencyFindings, Races
from tests import records
from tests.failovers import KEEPS, facts, failed_over
from tests.summaries import subject, summarised

ORDERS = {"linearizable": 50, "undecided": 9}


class Searched(NamedTuple):
    """Figures over histories that were searched."""

    orders: Mapping[str, int]
    disagreements: int = 0


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        (Searched(ORDERS), "agrees with the checkers on each that it decided."),
        (Searched({"undecided": 9}), "It decided none."),
        (Searched(ORDERS, 4), "disagrees with the checkers on 4: a fault of this suite."),
    ],
)
def test_it_claims_no_more_than_it_decided(searched: Searched, said: str) -> None:
    """To agree on each of none is no agreement."""
    assert cross_checked([searched]).endswith(said)
    assert cross_checked([Searched({})]) == ""


def raced(disagreements: int) -> Trial:
    races = Races(
        instances=2, rounds=60, contested=59, winners={1: 59}, outcomes={}, orders=ORDERS,
        disagreements=disagreements,
    )  # fmt: skip
    found = ConsistencyFindings(visibility=[], races=[races], errors={})
    return records.trial("a:x", "consistency", "instances", 0, found)


def of(scenario: str, disagreements: int) -> Summary:
    if scenario == "consistency":
        return summarised([subject("a:x")], [raced(disagreements)])
    one = failed_over(KEEPS, "kill", 0, orders=ORDERS, disagreements=disagreements)
    return summarised(facts(), [one])


@pytest.mark.parametrize("scenario", ["consistency", "failover"])
def test_a_disagreement_is_in_the_figures_and_on_the_terminal(scenario: str) -> None:
    """It casts doubt on every verdict, so it must not be left to whoever reads the prose."""
    found = of(scenario, 4)
    data = frame(found)
    data = data[data.figure.str.startswith("search: ")].set_index("figure")
    assert data.value.to_dict() == {
        "search: linearizable": 50, "search: undecided": 9,
        "search: disagrees with the checkers": 4,
    }  # fmt: skip
    assert set(data.n) == {59}
    [note] = [note for note in short_table(found).notes if "cross-check" in note]
    assert "4 families: a fault of this suite" in note


@pytest.mark.parametrize("scenario", ["consistency", "failover"])
def test_agreement_takes_no_room_on_the_terminal(scenario: str) -> None:
    """It is in the report."""
    assert not [note for note in short_table(of(scenario, 0)).notes if "cross-check" in note]
