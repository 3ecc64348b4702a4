"""The open loop held to queueing theory, on a clock of our own: exact, and done in moments.

Waiting times of M/M/1 have a closed form; those of M/D/1 come from Erlang's series (A. K. Erlang,
1909; Crommelin, 1932), computed here. One test does the same in real time.
"""

import itertools
import math
import random
import time
from array import array
from collections.abc import Iterator

import pytest

from backends.memory import MemoryStore
from backends.store import Policy, Rotation, Successor, Token
from bench.load.arrivals import intended
from bench.load.closed_loop import drive, samples_of
from bench.load.open_loop import Account, Agenda, account
from bench.load.open_loop import drive as drive_open
from bench.load.pacing import real_timing, wake_on_time
from scenarios.histogram import count, merged, percentile_ns
from scenarios.phases.climb import NO_STORMS
from tests.simulated import ROTATED, Clock, TimedStore, rotations, served

SERVICE_NS = 200_000
STALL_NS = 1_000_000_000
RATE, SECONDS = 1_000, 10


def due(rate: float, seconds: float, arrivals: str = "poisson", seed: int = 3) -> "array[int]":
    found = intended(arrivals, rate, seconds, NO_STORMS, (0, 1), str(seed))  # type: ignore[arg-type]
    return found.offsets_ns


def stalling(at: int) -> Iterator[int]:
    """Give 0.2 ms a call, but for one of them, which takes a second more."""
    for number in itertools.count():
        yield SERVICE_NS + (STALL_NS if number == at else 0)


def response(found: Account, percent: str) -> float:
    value = percentile_ns(merged(found.response_ns.values()), percent)
    assert value is not None
    return value / 1e9


def test_a_stall_is_in_the_response_of_everything_that_came_due_in_it() -> None:
    """Coordinated omission: one second in ten reads as a p99 of 0.92 s, from intended starts.

    Of 10,000 operations 1,000 come due in the stall, and a queue of them stays afterwards: it
    drains at 4,000 a second. p99 is the hundredth longest wait, 1 s less 100 times (1 ms - 0.2 ms).
    """
    found = served(due(RATE, SECONDS, "fixed"), stalling(4_000))
    assert response(found, "99") == pytest.approx(0.92, rel=0.05)
    service = percentile_ns(found.service_ns, "99")
    assert service is not None
    assert service < 1_000_000
    assert found.tally.ok == found.tally.offered == RATE * SECONDS


def test_a_closed_loop_misses_the_stall() -> None:
    """Why there is an open loop: the closed one asks nothing during the stall, and sees it once."""
    clock = Clock()
    calls = rotations(TimedStore(clock, stalling(4_000)), RATE * SECONDS)
    samples = samples_of([(calls, drive(calls, 10**18, clock.timing.now_ns))])["rotate"]
    p99 = percentile_ns(samples.latency_ns, "99")
    assert p99 is not None
    assert p99 < 1_000_000
    assert samples.maximum_ns > STALL_NS


def mm1_wait(rho: float, percent: float) -> float:
    """Give the percentile of waiting in M/M/1, in service times: P(W > t) = rho e^-(1-rho)t."""
    return max(math.log(rho / (1 - percent / 100)) / (1 - rho), 0.0)


def md1_below(rho: float, t: float) -> float:
    """Give P(W <= t) of M/D/1, t in service times.

    Erlang: (1 - rho) * sum over k <= t of e^(rho (t - k)) (rho (k - t))^k / k!
    """
    terms = (
        math.exp(rho * (t - k)) * (rho * (k - t)) ** k / math.factorial(k)
        for k in range(math.floor(t) + 1)
    )
    return (1 - rho) * math.fsum(terms)


def md1_wait(rho: float, percent: float) -> float:
    """Invert it by bisection; the series keeps four digits below 30, where its terms are small."""
    low, high = 0.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if md1_below(rho, middle) >= percent / 100 else (middle, high)
    return high


def waits(rho: float, service_ns: Iterator[int], operations: int, seed: int) -> Account:
    rate = rho * 1e9 / SERVICE_NS
    return served(due(rate, operations / rate, seed=seed), service_ns)


def exponential(seed: int) -> Iterator[int]:
    rng = random.Random(seed)
    while True:
        yield int(rng.expovariate(1 / SERVICE_NS))


OPERATIONS = {0.3: 60_000, 0.5: 60_000, 0.7: 120_000, 0.9: 400_000}
"""A queue that is rarely empty forgets slowly: the higher the load, the more it takes."""


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
def test_waiting_in_md1_is_what_theory_says(rho: float) -> None:
    """A constant service time: percentiles of the lag within 10% of Erlang's."""
    found = waits(rho, itertools.repeat(SERVICE_NS), OPERATIONS[rho], 1)
    for percent in ("90", "99"):
        assert _lag(found, percent) == pytest.approx(md1_wait(rho, float(percent)), rel=0.1)


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
def test_waiting_in_mm1_is_what_theory_says(rho: float) -> None:
    """An exponential service time: percentiles of the lag within 10% of the closed form."""
    found = waits(rho, exponential(5), OPERATIONS[rho], 1)
    for percent in ("90", "99"):
        assert _lag(found, percent) == pytest.approx(mm1_wait(rho, float(percent)), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("service", ["constant", "exponential"])
def test_waiting_near_saturation_is_what_theory_says(service: str) -> None:
    """The same at 90% load, over several streams of arrivals, since one alone strays."""
    lags = []
    for seed in range(4):
        times = itertools.repeat(SERVICE_NS) if service == "constant" else exponential(seed)
        lags.append(waits(0.9, times, OPERATIONS[0.9], seed).lag_ns)
    theory = md1_wait if service == "constant" else mm1_wait
    for percent in ("90", "99"):
        value = percentile_ns(merged(lags), percent)
        assert value is not None
        assert value / SERVICE_NS == pytest.approx(theory(0.9, float(percent)), rel=0.1)


def test_erlangs_series_has_the_mean_of_pollaczek_and_khinchine() -> None:
    """The theory is checked too: the mean of the series is rho / (2 (1 - rho)) service times."""
    for rho in (0.3, 0.5, 0.7):
        step = 0.01
        mean = sum((1 - md1_below(rho, number * step)) * step for number in range(2_000))
        assert mean == pytest.approx(rho / (2 * (1 - rho)), rel=0.02)


def test_response_is_lag_and_service_together() -> None:
    """Kept apart, they add up: the longest response is of the longest lag and one service."""
    found = waits(0.7, itertools.repeat(SERVICE_NS), 5_000, 2)
    assert count(found.lag_ns) == count(found.service_ns) == found.tally.ok
    longest = _lag(found, "99.9") * SERVICE_NS + SERVICE_NS
    assert response(found, "99.9") * 1e9 == pytest.approx(longest, rel=0.02)


def test_who_waits_for_a_free_client_is_no_pacing_lag() -> None:
    """The generator answers only for starts that a free client was waiting for."""
    found = served(due(RATE, SECONDS, "fixed"), stalling(4_000))
    assert percentile_ns(found.pacing_ns, "99") == 0
    assert 0 < count(found.pacing_ns) < count(found.lag_ns)


class SleepyStore(MemoryStore):
    """Takes 0.2 ms of real time, and once a second more."""

    calls = 0

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        self.calls += 1
        until_ns = time.monotonic_ns() + SERVICE_NS + (STALL_NS if self.calls == 4_000 else 0)
        while time.monotonic_ns() < until_ns:
            pass
        return ROTATED


@pytest.mark.slow
def test_the_stall_in_real_time() -> None:
    """The same on the machine's clock, where a busy machine can only make it longer."""
    wake_on_time()
    start_ns = time.monotonic_ns() + 100_000_000
    offsets_ns = due(RATE, SECONDS, "fixed")
    close_ns = start_ns + SECONDS * 10**9
    agenda = Agenda(
        iter(range(len(offsets_ns))),
        array("q", [start_ns + offset_ns for offset_ns in offsets_ns]),
        [None] * len(offsets_ns),
        close_ns,
        close_ns + 10**9,
    )
    calls = rotations(SleepyStore(Policy()), len(offsets_ns))
    found = account(agenda, [drive_open(agenda, calls, real_timing())])
    assert 0.92 * 0.95 <= response(found, "99") <= 0.92 * 1.2
    service = percentile_ns(found.service_ns, "90")
    assert service is not None
    assert service < 1_000_000


def _lag(found: Account, percent: str) -> float:
    """Give a percentile of waiting for a free client, in service times."""
    value = percentile_ns(found.lag_ns, percent)
    assert value is not None
    return value / SERVICE_NS
