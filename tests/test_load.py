"""The load: schedules, the closed loop, and what it makes of stores that misbehave."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.memory import MemoryStore
from backends.store import Outcome, Place, Policy, Rotation, Session, Successor, Token
from bench.load import worker
from bench.load.closed_loop import drive, samples_of
from bench.load.schedule import Call, Fleet
from bench.load.worker import Target
from scenarios.histogram import count
from scenarios.phases.measure import Measure
from scenarios.phases.workload import Operation, Workload

NOW_MS = 1_700_000_000_000
LATER_NS = 10**18


def fleet_on(store: MemoryStore, sessions: int = 20, seed: int = 7) -> Fleet:
    fleet = Fleet(seed, "t0")
    for _ in range(sessions):
        session, held = fleet.clients.open_session(NOW_MS)
        store.issue(session)
        fleet.held[held.family] = held
    return fleet


def workload(keys: str = "uniform", **mix: int) -> Workload:
    return Workload(mix=mix, keys=keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("keys", ["uniform", "zipf", "latest"])
def test_every_prepared_call_succeeds_on_a_right_store(keys: str) -> None:
    """A schedule is consistent with itself: each call expects what the ones before it leave."""
    store = MemoryStore(Policy())
    mix = workload(keys, issue=11, verify=20, rotate=60, revoke=9)
    schedule = fleet_on(store).schedule(store, mix, 2_000, NOW_MS)
    driven = drive(schedule, LATER_NS)
    assert driven.errors == {}
    assert len(driven.latencies_ns) == 2_000


def test_the_same_seed_gives_the_same_calls() -> None:
    """A run can be repeated from its seed, and another seed asks for something else."""
    store = MemoryStore(Policy())
    mix = workload(issue=1, rotate=5)

    def arguments(seed: int) -> list[object]:
        return [call.arguments for call in fleet_on(store, seed=seed).schedule(store, mix, 50, 1)]

    assert arguments(1) == arguments(1)
    assert arguments(1) != arguments(2)


def test_the_mix_is_what_was_asked_for() -> None:
    """Keycloak's mix of 11 issue, 88 rotate, 1 revoke comes out within sampling error."""
    store = MemoryStore(Policy())
    schedule = fleet_on(store).schedule(
        store, workload(issue=11, rotate=88, revoke=1), 20_000, NOW_MS
    )
    share = {kind: sum(call.operation == kind for call in schedule) for kind in ("issue", "rotate")}
    assert share["issue"] == pytest.approx(2_200, rel=0.1)
    assert share["rotate"] == pytest.approx(17_600, rel=0.05)


def test_skewed_keys_pick_few_sessions_often() -> None:
    """Zipf and latest concentrate the load; uniform spreads it."""
    store = MemoryStore(Policy())

    def busiest(keys: str) -> int:
        schedule = fleet_on(store, 1_000).schedule(store, workload(keys, verify=1), 10_000, 1)
        families = [call.family for call in schedule]
        return max(map(families.count, set(families[:200])))

    uniform = busiest("uniform")
    assert busiest("zipf") > 10 * uniform
    assert busiest("latest") > 3 * uniform


def test_what_was_not_called_does_not_count() -> None:
    """A schedule cut short leaves the sessions where the calls that were made left them."""
    store = MemoryStore(Policy())
    fleet = fleet_on(store)
    schedule = fleet.schedule(store, workload(rotate=1), 500, NOW_MS)
    driven = drive(schedule[:100], LATER_NS)
    fleet.settle(schedule[: len(driven.latencies_ns)])
    assert drive(fleet.schedule(store, workload(verify=1), 100, NOW_MS), LATER_NS).errors == {}


class WrongStore(MemoryStore):
    """Answers wrongly, raises, or answers nonsense, in turn."""

    calls = 0

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        self.calls += 1
        if self.calls % 3 == 0:
            raise ConnectionError
        if self.calls % 3 == 1:
            return Rotation(Outcome.REUSED)
        return None  # type: ignore[return-value]


def test_a_call_that_goes_wrong_is_counted_by_its_kind_and_never_timed() -> None:
    """Refusals, exceptions and nonsense are errors; none of them is a latency."""
    store = WrongStore(Policy())
    schedule = fleet_on(store).schedule(store, workload(rotate=1), 300, NOW_MS)
    samples = samples_of([(schedule, drive(schedule, LATER_NS))])["rotate"]
    assert samples.errors == {"reused": 100, "ConnectionError": 100, "TypeError": 100}
    assert count(samples.latency_ns) == 0


class SlowStore(MemoryStore):
    """Takes a millisecond to issue."""

    def issue(self, session: Session) -> None:
        time.sleep(0.001)
        super().issue(session)


def test_the_deadline_ends_the_loop_and_latency_includes_the_store() -> None:
    """A call under way at the deadline is finished and counted; none begins after it."""
    store = SlowStore(Policy())
    schedule = Fleet(1, "t0").schedule(store, workload(issue=1), 1_000, NOW_MS)
    driven = drive(schedule, time.monotonic_ns() + 50_000_000)
    assert 1 <= len(driven.latencies_ns) <= 51
    assert min(driven.latencies_ns) >= 1_000_000


def test_samples_are_kept_apart_by_operation() -> None:
    """Two clients' calls merge by operation, and every call is there once."""
    store = MemoryStore(Policy())
    mix = workload(issue=1, rotate=3)
    parts = []
    for seed in (1, 2):
        schedule = fleet_on(store, seed=seed).schedule(store, mix, 200, NOW_MS)
        parts.append((schedule, drive(schedule, LATER_NS)))
    samples = samples_of(parts)
    assert sum(count(one.latency_ns) for one in samples.values()) == 400
    assert set(samples) == {"issue", "rotate"}
    for one in samples.values():
        assert 0 < one.minimum_ns <= one.maximum_ns


def test_a_call_knows_its_operation() -> None:
    """Operations are the field's four."""
    kinds: set[Operation] = {"issue", "verify", "rotate", "revoke"}
    store = MemoryStore(Policy())
    mix = workload(issue=1, verify=1, rotate=1, revoke=1)
    schedule: list[Call] = list(fleet_on(store).schedule(store, mix, 400, NOW_MS))
    assert {call.operation for call in schedule} == kinds


THREADS = """
import threading
from backends.memory import MemoryStore
from backends.store import Policy

class Store(MemoryStore):
    threads = []
    def rotate(self, *arguments):
        self.threads.append(threading.get_ident())
        return super().rotate(*arguments)

    def issue(self, session):
        self.threads.append("issue")
        super().issue(session)

def make():
    return Store(Policy())
"""


@pytest.fixture
def worker_threads(tmp_path: Path) -> Iterator[list[int | str]]:
    """Open a store in this process, as a worker would; give what called it."""
    (tmp_path / "threads.py").write_text(THREADS)
    spec = f"{tmp_path / 'threads.py'}:make"
    worker.open_store(Target(spec, Place(tmp_path), Policy(), 1, "w0"))
    yield worker.state().store.threads  # type: ignore[attr-defined]
    worker.close_store()


def rotating(connections: int) -> Measure:
    return Measure(
        name="rotate",
        workload=workload(rotate=1),
        connections=connections,
        seconds=0.02,
        warmup_seconds=0.01,
        most_calls=400,
    )


def test_a_client_is_measured_on_the_thread_that_warmed_it_up(
    worker_threads: list[int | str],
) -> None:
    """Its connection is open and its statements are prepared, however many threads there are."""
    worker.preload(40)
    for clients in (8, 1, 3):
        phase = rotating(clients)
        worker_threads.clear()
        worker.prepare(phase, clients, phase.most_calls)
        warmed = set(worker_threads)
        worker_threads.clear()
        worker.measure(time.monotonic_ns(), phase.seconds)
        assert len(warmed) == clients
        assert set(worker_threads) == warmed


def test_more_clients_than_sessions_all_refresh(worker_threads: list[int | str]) -> None:
    """One without a session logs in before anything is measured, so the mix is what was asked."""
    worker.preload(3)
    assert worker_threads.count("issue") == 3
    phase = rotating(8)
    worker.prepare(phase, 8, phase.most_calls)
    worker_threads.clear()
    part = worker.measure(time.monotonic_ns(), phase.seconds)
    assert set(part.samples) == {"rotate"}
    assert "issue" not in worker_threads
