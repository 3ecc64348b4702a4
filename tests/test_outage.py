"""How long a side was not served, whatever length its fault had."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from scenarios.history import Event
from scenarios.outage import WINDOW_NS, Outage, outage

MS = 1_000_000
STRUCK_MS, HEALED_MS = 1_000, 9_000
RATE = 100.0
"""Operations a second: one each 10 ms, so that 25 within half a second are enough."""
NUMBERS = count()


def call(begun_ms: float, took_ms: float = 5, kind: Any = "rotate", status: Any = "ok") -> Event:
    begun_ns = int(begun_ms * MS)
    return Event(
        op=next(NUMBERS),
        instance=0,
        family="f",
        kind=kind,
        generation=1,
        digest="d",
        invoke_ns=begun_ns,
        return_ns=begun_ns + int(took_ms * MS),
        status=status,
    )


def load(from_ms: int, until_ms: int, every_ms: int = 10, **how: Any) -> Iterator[Event]:
    return (call(at, **how) for at in range(from_ms, until_ms, every_ms))


def waited(*calls: Event, healed_ms: int = HEALED_MS) -> Outage:
    before = load(0, STRUCK_MS - 5)
    return outage([*before, *calls], STRUCK_MS * MS, healed_ms * MS, RATE)


def test_a_call_that_never_ended_is_under_way_until_the_heal() -> None:
    """No side is well that still waits for an answer."""
    hangs = replace(call(2_000, status="unknown"), return_ns=None)
    found = waited(hangs, *load(4_000, HEALED_MS))
    assert found == Outage((HEALED_MS - STRUCK_MS) * MS, over=False)


def test_a_side_is_served_from_the_first_write_of_those_that_come_as_before() -> None:
    """A trickle isn't service: writes that a server answers slowly, one after another."""
    trickle = load(2_000, 4_000, every_ms=100)
    found = waited(*trickle, *load(4_000, HEALED_MS))
    assert found.over
    assert 3_005 * MS - WINDOW_NS < found.ns <= 3_005 * MS


def test_a_side_that_gets_less_than_half_was_not_served() -> None:
    """Bursts between which everybody waits, as long as the fault lasts."""
    bursts = [call(at + n, 195) for at in range(2_000, HEALED_MS, 200) for n in range(8)]
    assert waited(*bursts) == Outage(8_000 * MS, over=False)


@pytest.mark.parametrize("healed_ms", [4_000, HEALED_MS])
def test_the_length_of_the_fault_does_not_decide(healed_ms: int) -> None:
    """Calls that hang, four at a time, end by themselves, or by the heal that comes before."""
    hung = [call(at, 2_000) for at in (1_010, 3_010) for _ in range(4)]
    trickle = load(3_012, 3_100, every_ms=10)
    found = waited(*hung, *trickle, *load(5_010, HEALED_MS), healed_ms=healed_ms)
    assert found.over == (healed_ms > 5_010)
    assert found.ns == min(4_015, healed_ms - STRUCK_MS) * MS


def test_a_healthy_part_of_the_keys_does_not_end_the_outage() -> None:
    """A cluster answers two calls of three as before, and refuses each third."""
    well = [*load(1_010, 4_000, every_ms=30), *load(1_020, 4_000, every_ms=30)]
    refused = load(1_000, 4_000, every_ms=30, took_ms=1, status="fail")
    found = waited(*well, *refused, *load(4_000, HEALED_MS))
    assert found.over
    assert found.ns >= 2_950 * MS


def test_a_call_that_hangs_is_in_vain_whatever_becomes_of_it() -> None:
    """Another client is served meanwhile at the full rate."""
    found = waited(call(1_010, 3_000), *load(1_010, HEALED_MS))
    assert found == Outage(3_015 * MS, over=True)


def test_a_late_failure_does_not_undo_that_a_side_was_served() -> None:
    """It has been served before; only the calls of that time are looked at."""
    found = waited(*load(1_500, HEALED_MS), call(6_000, status="fail"))
    assert found == Outage(505 * MS, over=True)


def test_looking_is_no_write() -> None:
    """A primary that answers reads alone serves nobody who logs in."""
    assert not waited(*load(1_010, HEALED_MS, kind="verify")).over


def test_who_was_slow_before_is_held_to_that() -> None:
    """Half of 20 writes a second, though more were offered."""
    before, after = load(0, STRUCK_MS - 5, 50), load(2_000, HEALED_MS, 50)
    found = outage([*before, *after], STRUCK_MS * MS, HEALED_MS * MS, RATE)
    assert found == Outage(1_005 * MS, over=True)


def test_a_burst_before_the_load_asks_for_no_more_than_is_offered() -> None:
    """Sessions are opened as fast as it goes; the load after the fault is paced."""
    opened = load(900, STRUCK_MS - 5, every_ms=1, took_ms=1)
    assert waited(*opened, *load(2_000, HEALED_MS)) == Outage(1_005 * MS, over=True)
