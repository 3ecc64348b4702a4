"""The harness itself, timed by pytest-benchmark: reported, never asserted. Run by `make speed`."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from backends.memory import MemoryStore
from backends.store import Policy
from bench.load import open_loop
from bench.load.closed_loop import drive
from bench.load.pacing import real_timing, wake_on_time
from bench.load.schedule import Fleet
from benchmarks.null_store import agenda, bare_loop, schedule
from scenarios.phases.workload import Workload

CALLS = 10_000
PACED = 1_000
ROUNDS = 5
LEAD_NS = 20_000_000


def test_bare_loop(benchmark: BenchmarkFixture) -> None:
    """Ten thousand calls of a null store with two clock readings each: the floor."""
    prepared = schedule(CALLS)
    assert benchmark(bare_loop, prepared) > 0


def test_closed_loop(benchmark: BenchmarkFixture) -> None:
    """The same calls through the harness's measured loop."""
    prepared = schedule(CALLS)
    assert len(benchmark(drive, prepared, sys.maxsize).latencies_ns) == CALLS


def test_open_loop(benchmark: BenchmarkFixture) -> None:
    """The same calls through the open loop, all due at once: what it does while it catches up."""
    prepared = schedule(CALLS)

    def catch_up() -> int:
        return len(open_loop.drive(agenda([0] * CALLS, 0), prepared, real_timing()).taken)

    assert benchmark(catch_up) == CALLS


@pytest.mark.parametrize("clients", [1, 8])
def test_pacing_at_1_khz(benchmark: BenchmarkFixture, clients: int) -> None:
    """How late a null store is called that is due 1,000 times a second: see the extra figures."""
    prepared = schedule(PACED)
    lags: list[int] = []

    def second() -> None:
        start_ns = time.monotonic_ns() + LEAD_NS
        due = agenda([number * 1_000_000 for number in range(PACED)], start_ns)

        def client(_: int) -> open_loop.Driven:
            wake_on_time()
            return open_loop.drive(due, prepared, real_timing())

        with ThreadPoolExecutor(clients) as threads:
            for one in threads.map(client, range(clients)):
                late = zip(one.taken, one.started_ns, strict=True)
                lags.extend(started_ns - due.due_ns[turn] for turn, started_ns in late)

    benchmark.pedantic(second, rounds=ROUNDS)  # type: ignore[no-untyped-call]
    assert len(lags) == PACED * ROUNDS
    for percent in (50, 99):
        benchmark.extra_info[f"lag p{percent} us"] = float(np.percentile(lags, percent)) / 1e3
    sys.stdout.write(f"pacing, {clients} clients: {benchmark.extra_info}\n")


def test_preparing_a_schedule(benchmark: BenchmarkFixture) -> None:
    """What preparing the calls costs; it is done before anything is measured."""
    assert len(benchmark(schedule, CALLS)) == CALLS


def test_memory_rotation(benchmark: BenchmarkFixture) -> None:
    """The cheapest real store, for scale."""
    store, fleet = MemoryStore(Policy()), Fleet(1, "memory")
    for _ in range(1_000):
        session, held = fleet.clients.open_session(0)
        store.issue(session)
        fleet.held[held.family] = held

    def rotations() -> int:
        prepared = fleet.schedule(store, Workload(mix={"rotate": 1}), CALLS, 0)
        driven = drive(prepared, sys.maxsize)
        fleet.settle(prepared)
        return len(driven.errors)

    assert benchmark(rotations) == 0
