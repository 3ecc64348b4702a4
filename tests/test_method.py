"""docs/method.md says of the reference run what its record says."""

import os

import pytest

from benchmarks.published import publish, published
from benchmarks.reference_run import TEXTS, pace, reference
from scenarios.consistency import Races
from scenarios.history import Event, Kind


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_said_of_the_reference_run_is_from_its_record(name: str) -> None:
    """Each text is made from the record; UPDATE_DOCS=1 writes it anew."""
    text = TEXTS[name](reference())
    if os.environ.get("UPDATE_DOCS"):
        publish(name, text)
    assert published(name) == text


def test_races_are_timed_from_first_call_to_first_call() -> None:
    """Of the plain races of each number of instances alone, whatever came before and after."""
    phases = [
        _races("revoke", instances=2, rounds=3),
        _races("rotate", instances=2, rounds=5),
        _races("rotate", instances=4, rounds=5),
        _races("rotate", instances=4, rounds=3, mishap="paused server"),
    ]
    history = [
        event
        for number, (races, gap_ms) in enumerate(zip(phases, (7, 2, 20, 50), strict=True))
        for event in _history(races, number, gap_ms)
    ]
    assert pace(phases, history) == {2: pytest.approx(500), 4: pytest.approx(50)}


def _races(contest: str, *, instances: int, rounds: int, mishap: str = "none") -> Races:
    return Races(
        instances=instances,
        contest=contest,
        mishap=mishap,
        rounds=rounds,
        contested=rounds,
        winners={},
        outcomes={},
    )


def _history(races: Races, phase: int, gap_ms: int) -> list[Event]:
    """Every session is opened, then raced for by calls 0.1 ms apart, then looked at."""
    begin_ns = phase * 10**9
    families = [f"{phase}.{race}" for race in range(races.rounds)]
    return [
        *(_event("issue", family, begin_ns + n) for n, family in enumerate(families)),
        *(
            _event("rotate", family, begin_ns + 10**6 * (1 + n * gap_ms) + 10**5 * instance)
            for n, family in enumerate(families)
            for instance in range(races.instances)
        ),
        *(_event("verify", family, begin_ns + 5 * 10**8 + n) for n, family in enumerate(families)),
    ]


def _event(kind: Kind, family: str, invoke_ns: int) -> Event:
    return Event(
        op=invoke_ns,
        instance=0,
        family=family,
        kind=kind,
        generation=0,
        digest="",
        invoke_ns=invoke_ns,
    )
