"""The open loop: its account, its schedules, its pacing, and the odd things clients do."""

import itertools
import threading
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.memory import MemoryStore
from backends.store import Outcome, Policy, Rotation, Session, Successor, Token
from bench.load.arrivals import ALONE, intended
from bench.load.closed_loop import drive as drive_closed
from bench.load.open_loop import Agenda, account, drive
from bench.load.pacing import SPIN_NS, real_timing, sleep_then_spin
from bench.load.schedule import Call, Fleet
from bench.load.storms import NOBODY, TWICE, Reply, judged, storms
from bench.load.token_work import spent_ns, with_tokens
from scenarios.histogram import count
from scenarios.phases.climb import NO_STORMS, Arrivals, Storms
from scenarios.phases.workload import Workload
from tests.simulated import served

NOW_MS = 1_700_000_000_000
FAR_NS = 10**18
GRACE = Policy(grace_ms=10_000)


def fleet_on(store: MemoryStore, sessions: int = 20, seed: int = 7) -> Fleet:
    fleet = Fleet(seed, "t0")
    for _ in range(sessions):
        session, held = fleet.clients.open_session(NOW_MS)
        store.issue(session)
        fleet.held[held.family] = held
    return fleet


@given(
    due_ns=st.lists(st.integers(0, 1_000), max_size=60).map(sorted),
    service_ns=st.lists(st.integers(-80, 80), min_size=1, max_size=20),
    close_ns=st.integers(0, 1_200),
    patience_ns=st.integers(0, 300),
)
def test_whatever_was_due_is_accounted_for_once(
    due_ns: list[int], service_ns: list[int], close_ns: int, patience_ns: int
) -> None:
    """Offered = ok + late + failed + dropped + in flight, for any arrivals, store and end."""
    found = served(due_ns, itertools.cycle(service_ns), close_ns, close_ns + patience_ns)
    tally = found.tally
    parts = (tally.ok, tally.late, tally.failed, tally.dropped, tally.in_flight)
    assert sum(parts) == tally.offered == len(due_ns)
    assert all(part >= 0 for part in parts)
    assert sum(found.errors.values()) == tally.failed
    answered = tally.ok + tally.late
    assert sum(map(count, found.response_ns.values())) == answered
    assert count(found.service_ns) == count(found.lag_ns) == answered


class UnsteadyStore(MemoryStore):
    """Sleeps, fails and answers in turn, for several threads."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self._turns = itertools.count()

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        turn = next(self._turns)
        time.sleep(0.001 * (turn % 4))
        if turn % 5 == 0:
            raise ConnectionError
        return super().rotate(token, successor, device, now_ms)


@settings(max_examples=8, deadline=None)
@given(clients=st.integers(1, 6), rate=st.integers(200, 4_000))
def test_clients_that_share_a_queue_take_each_operation_once(clients: int, rate: int) -> None:
    """The same with real threads and a real clock: nothing twice, nothing lost."""
    store = UnsteadyStore(Policy())
    fleets = [fleet_on(store, seed=seed) for seed in range(clients)]
    offsets_ns = intended("poisson", rate, 0.05, NO_STORMS, (0, 1), "9").offsets_ns
    start_ns = time.monotonic_ns()
    agenda = Agenda(
        iter(range(len(offsets_ns))),
        array("q", [start_ns + offset_ns for offset_ns in offsets_ns]),
        [None] * len(offsets_ns),
        start_ns + 50_000_000,
        start_ns + 60_000_000,
    )
    mix = Workload(mix={"rotate": 1})
    plans = [fleet.schedule(store, mix, len(offsets_ns), NOW_MS) for fleet in fleets]
    driven = []
    threads = [
        threading.Thread(target=lambda own=own: driven.append(drive(agenda, own, real_timing())))
        for own in plans
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = Counter(turn for one in driven for turn in one.taken)
    assert max(taken.values(), default=1) == 1
    tally = account(agenda, driven).tally
    assert tally.offered == len(offsets_ns)
    assert tally.offered == tally.ok + tally.late + tally.failed + tally.left_over
    early = [
        turn
        for one in driven
        for turn, started_ns in zip(one.taken, one.started_ns, strict=True)
        if started_ns < agenda.due_ns[turn]
    ]
    assert early == []


def test_each_ending_has_its_place() -> None:
    """One of each: in time, after the end, refused, never sent, and not answered in patience."""
    due_ns = [0, 10, 20, 30, 40]
    found = served(due_ns, iter([5, -5, 80, 60, 1]), close_ns=50, give_up_ns=150)
    tally = found.tally
    assert (tally.ok, tally.failed, tally.late) == (1, 1, 1)
    assert (tally.in_flight, tally.dropped) == (1, 1)
    assert found.errors == {"ConnectionError": 1}


def test_a_client_without_calls_leaves_the_turns_to_others() -> None:
    """What was prepared for one runs out; the rest is still done by whoever has calls left."""
    store = MemoryStore(Policy())
    agenda = Agenda(iter(range(30)), array("q", [0] * 30), [None] * 30, FAR_NS, FAR_NS)
    mix = Workload(mix={"rotate": 1})
    few, many = (fleet_on(store, seed=seed) for seed in (1, 2))
    driven = [
        drive(agenda, fleet.schedule(store, mix, calls, NOW_MS), real_timing())
        for fleet, calls in ((few, 10), (many, 30))
    ]
    found = account(agenda, driven)
    assert [len(one.taken) for one in driven] == [10, 20]
    assert (found.tally.ok, found.exhausted) == (30, True)


@pytest.mark.parametrize("arrivals", ["poisson", "fixed"])
def test_the_same_seed_gives_the_same_intended_starts(arrivals: Arrivals) -> None:
    """To the byte, storms and all; another seed gives others where chance has a part."""

    def schedule(seed: str) -> tuple[bytes, bytes]:
        found = intended(arrivals, 2_000, 0.5, Storms(0.1, 4), (0, 2), seed)
        return found.offsets_ns.tobytes(), found.storms.tobytes()

    assert schedule("1") == schedule("1")
    assert schedule("1") != schedule("2")


def test_the_same_seed_gives_the_same_odd_calls() -> None:
    """Lost replies and wrong devices are drawn from the seed as well."""
    store = MemoryStore(Policy())
    odd = Workload(mix={"rotate": 1, "verify": 1}, wrong_devices=0.2, lost_replies=0.2)

    def calls(seed: int) -> Sequence[object]:
        plan = fleet_on(store, seed=seed).schedule(store, odd, 200, 1)
        return [(call.arguments, call.expected) for call in plan]

    assert calls(1) == calls(1)
    assert calls(1) != calls(2)


@pytest.mark.parametrize("arrivals", ["poisson", "fixed"])
def test_the_rate_is_what_was_asked_for_with_storms_and_without(arrivals: Arrivals) -> None:
    """A storm is several operations of the offered rate, not on top of it."""
    for odd in (NO_STORMS, Storms(0.2, 8)):
        found = intended(arrivals, 1_000, 50, odd, (0, 1), "4")
        assert len(found.offsets_ns) == pytest.approx(50_000, rel=0.03)
        assert list(found.offsets_ns) == sorted(found.offsets_ns)


def test_processes_take_turns_at_a_fixed_rate() -> None:
    """Two at half the rate each make one evenly spaced stream."""
    both = [
        offset
        for number in (0, 1)
        for offset in intended("fixed", 500, 1, NO_STORMS, (number, 2), "1").offsets_ns
    ]
    gaps = {after - before for before, after in itertools.pairwise(sorted(both))}
    assert gaps == {1_000_000}


def test_poisson_gaps_are_exponential() -> None:
    """Their mean and their standard deviation are the same."""
    offsets_ns = intended("poisson", 1_000, 30, NO_STORMS, (0, 1), "6").offsets_ns
    gaps = [after - before for before, after in itertools.pairwise(offsets_ns)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1e6, rel=0.03)
    assert deviation == pytest.approx(mean, rel=0.03)


class Watch:
    """A clock that ticks 1 us a reading, and a sleep that oversleeps."""

    def __init__(self, oversleeps_ns: int) -> None:
        self.at_ns = 0
        self.slept: list[int] = []
        self.gave_way = 0
        self._over_ns = oversleeps_ns

    def now_ns(self) -> int:
        self.at_ns += 1_000
        return self.at_ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds * 1e9))
        self.at_ns += round(seconds * 1e9) + self._over_ns

    def give_way(self) -> None:
        self.gave_way += 1


@pytest.mark.parametrize("oversleeps_ns", [0, 20_000, SPIN_NS * 2])
def test_waiting_sleeps_first_and_spins_the_rest(oversleeps_ns: int) -> None:
    """One sleep that ends before the instant, then a spin that lets others go on meanwhile."""
    watch = Watch(oversleeps_ns)
    sleep_then_spin(watch.now_ns, watch.sleep, watch.give_way)(1_000_000)
    assert watch.slept == [1_000_000 - SPIN_NS - 1_000]
    assert watch.at_ns >= 1_000_000
    late_ns = watch.at_ns - 1_000_000
    assert late_ns <= max(oversleeps_ns - SPIN_NS, 0) + 2_000
    assert (watch.gave_way > 0) == (oversleeps_ns < SPIN_NS)


def test_waiting_for_the_past_returns_at_once() -> None:
    """What is due already is neither slept nor spun for."""
    watch = Watch(0)
    sleep_then_spin(watch.now_ns, watch.sleep, watch.give_way)(0)
    assert (watch.slept, watch.gave_way) == ([], 0)


@pytest.mark.parametrize("policy", [Policy(), GRACE])
def test_odd_clients_are_answered_as_expected_by_a_right_store(policy: Policy) -> None:
    """A lost reply is shown again, forgiven with grace alone. Wrong devices are refused."""
    store = MemoryStore(policy)
    odd = Workload(mix={"issue": 2, "rotate": 4, "verify": 2}, wrong_devices=0.1, lost_replies=0.2)
    fleet = fleet_on(store, 200)
    for _ in range(2):
        plan = fleet.schedule(store, odd, 1_000, NOW_MS, grace=bool(policy.grace_ms))
        driven = drive_closed(plan, FAR_NS)
        assert driven.errors == {}
        fleet.settle(plan)
    expected = Counter(call.expected for call in plan)
    again = Outcome.GRACE if policy.grace_ms else Outcome.REUSED
    assert expected[again] == pytest.approx(100, rel=0.5)
    assert expected[Outcome.DEVICE_MISMATCH] == pytest.approx(75, rel=0.5)


def test_without_devices_none_is_shown() -> None:
    """Sessions that are bound to no device."""
    store = MemoryStore(Policy())
    plan = Fleet(1, "t0").schedule(store, Workload(mix={"issue": 1}, devices=False), 10, NOW_MS)
    [devices] = {call.arguments[0].device for call in plan}
    assert devices == ""


def storming(store: MemoryStore, policy: Policy, size: int = 4) -> Sequence[tuple[int, Reply]]:
    """Send one storm after another, one tab at a time, and give the replies."""
    prepared = storms(
        store, fleet_on(store).clients, Workload(mix={"rotate": 1}), policy, 5, NOW_MS
    )
    calls = [one.call for one in prepared for _ in range(size)]
    errors = drive_closed(calls, FAR_NS).errors
    replies = [
        (position // size, Reply(position, errors.get(position))) for position in range(len(calls))
    ]
    verdicts = judged(prepared, replies, size)
    return [
        (storm, reply._replace(error=verdicts.get(reply.position, reply.error)))
        for storm, reply in replies
    ]


@pytest.mark.parametrize("policy", [Policy(), GRACE])
def test_a_storm_has_one_winner_and_losers_that_are_told_so(policy: Policy) -> None:
    """With grace the others get the same successor; without, the family is dead. Both are right."""
    replies = storming(MemoryStore(policy), policy)
    assert [reply.error for _, reply in replies] == [None] * 20


class EveryoneWins(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return Rotation(Outcome.ROTATED)


class NobodyWins(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return Rotation(Outcome.REVOKED)


def test_a_storm_that_several_win_or_nobody_is_wrong() -> None:
    """A double spend counts every winner but one, and a storm that nobody wins counts once."""
    errors = Counter(reply.error for _, reply in storming(EveryoneWins(Policy()), Policy()))
    assert errors == {None: 5, TWICE: 15}
    errors = Counter(reply.error for _, reply in storming(NobodyWins(Policy()), Policy()))
    assert errors == {None: 15, NOBODY: 5}


def test_a_storm_in_the_loop_is_judged_as_a_whole() -> None:
    """Its losers are refused, and that is no failure; its calls are nobody's own."""
    store = MemoryStore(Policy())
    fleet = fleet_on(store)
    due = intended("fixed", 1_000, 0.1, Storms(0.3, 4), (0, 1), "2")
    number = max(due.storms) + 1
    mix = Workload(mix={"rotate": 1})
    prepared = storms(store, fleet.clients, mix, Policy(), number, NOW_MS)
    calls: list[Call | None] = [
        None if storm == ALONE else prepared[storm].call for storm in due.storms
    ]
    agenda = Agenda(iter(range(len(calls))), due.offsets_ns, calls, FAR_NS, FAR_NS)
    own = fleet.schedule(store, mix, len(calls), NOW_MS)
    driven = [drive(agenda, own, real_timing())]
    assert len(driven[0].errors) == 3 * number
    found = account(agenda, driven, prepared, due.storms, 4)
    assert (found.errors, found.tally.ok) == ({}, len(calls))


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_work_on_tokens_is_in_the_response_and_not_in_the_service(algorithm: str) -> None:
    """Parsing before and minting after a call are a figure of their own."""
    store = MemoryStore(Policy())
    mix = Workload(mix={"issue": 1, "rotate": 4, "verify": 2, "revoke": 1})
    plain = fleet_on(store).schedule(store, mix, 100, NOW_MS)
    calls = with_tokens(plain, algorithm, NOW_MS)  # type: ignore[arg-type]
    agenda = Agenda(iter(range(99)), array("q", [0] * 99), [None] * 99, FAR_NS, FAR_NS)
    driven = drive(agenda, calls, real_timing())
    found = account(agenda, [driven])
    assert (found.errors, found.tally.ok) == ({}, 99)
    worked = [call for call in calls[:99] if call.operation != "revoke"]
    assert count(found.tokens_ns) == len(worked)
    assert all(spent_ns(call) > 1_000 for call in worked)
    spans = sum(e - s for s, e in zip(driven.started_ns, driven.ended_ns, strict=True))
    assert sum(map(spent_ns, calls)) < spans


def test_a_session_of_a_failed_call_is_somebody_elses_problem() -> None:
    """A store that raises at issue: counted by name, and the loop goes on."""

    class Full(MemoryStore):
        def issue(self, session: Session) -> None:
            raise OSError("full")

    store = Full(Policy())
    calls = Fleet(1, "t0").schedule(store, Workload(mix={"issue": 1}), 11, NOW_MS)
    agenda = Agenda(iter(range(10)), array("q", [0] * 10), [None] * 10, FAR_NS, FAR_NS)
    found = account(agenda, [drive(agenda, calls, real_timing())])
    assert found.errors == {"OSError": 10}
    assert replace(found.tally, failed=0, offered=0) == replace(
        found.tally, failed=0, offered=0, ok=0, late=0, dropped=0, in_flight=0
    )
