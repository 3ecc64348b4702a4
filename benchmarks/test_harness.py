"""The harness itself, timed by pytest-benchmark: reported, never asserted. Run by `make speed`."""

import sys

from pytest_benchmark.fixture import BenchmarkFixture

from backends.memory import MemoryStore
from backends.store import Policy
from bench.load.closed_loop import drive
from bench.load.schedule import Fleet
from benchmarks.null_store import bare_loop, schedule
from scenarios.phases.workload import Workload

CALLS = 10_000


def test_bare_loop(benchmark: BenchmarkFixture) -> None:
    """Ten thousand calls of a null store with two clock readings each: the floor."""
    prepared = schedule(CALLS)
    assert benchmark(bare_loop, prepared) > 0


def test_closed_loop(benchmark: BenchmarkFixture) -> None:
    """The same calls through the harness's measured loop."""
    prepared = schedule(CALLS)
    assert len(benchmark(drive, prepared, sys.maxsize).latencies_ns) == CALLS


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
