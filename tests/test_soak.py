"""Endurance: pacing, the accounting of each interval, the store's counters, and stalls by name."""

import csv
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis
from pymongo import MongoClient

import backends
from backends.memory import MemoryStore
from backends.store import Outcome, Place, Policy, Rotation, Successor, Token
from bench import counters, phases
from bench.analysis.evidence import Judged
from bench.analysis.soak import SoakSeries, soak_series
from bench.load.pacing import Timing
from bench.load.population import Population, Walk
from bench.load.soak import Turns, add_up, by_interval, pace
from bench.report import write as write_report
from bench.servers.server import Server
from scenarios.cost import FIGURES, NETWORK, Cost
from scenarios.histogram import count, percentile_ns
from scenarios.phases.fill import Fill
from scenarios.phases.soak import Interval, Soak, Soaked
from scenarios.soak import Counters, Point, SoakFindings
from tests import records
from tests.filling import staged

NOW_MS = 1_800_000_000_000
MS = 1_000_000


class FakeTime:
    """A clock that moves when someone waits or a store takes its time."""

    def __init__(self, oversleeps_ns: int = 0) -> None:
        self.now_ns = 0
        self._oversleeps_ns = oversleeps_ns

    def wait_until_ns(self, instant_ns: int) -> None:
        if instant_ns > self.now_ns:
            self.now_ns = instant_ns + self._oversleeps_ns


class TimedStore(MemoryStore):
    """Takes 1 ms for a rotation, and at one of them as long as it is told."""

    def __init__(self, clock: FakeTime, slow: int = -1, slow_ns: int = 0) -> None:
        super().__init__(Policy())
        self._clock = clock
        self._slow = slow
        self._slow_ns = slow_ns
        self.rotations = 0

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        self._clock.now_ns += self._slow_ns if self.rotations == self._slow else MS
        self.rotations += 1
        if self.rotations % 50 == 0:
            return Rotation(Outcome.EXPIRED)
        return super().rotate(token, successor, device, now_ms)


SOAK = Soak(rate=100, seconds=4, interval_seconds=1)
ALONE = Turns(0, 1, 400)


def paced(clock: FakeTime, store: MemoryStore) -> Sequence[Interval]:
    population = Population(3, NOW_MS)
    store.load(population.sessions(0, 1_000))
    walk = Walk(population, range(1_000))
    timing = Timing(lambda: clock.now_ns, clock.wait_until_ns)
    return by_interval(SOAK, ALONE, pace(store, walk, ALONE, SOAK, 0, timing))


def assert_accounted(intervals: Sequence[Interval]) -> None:
    for one in intervals:
        done = count(one.response_ns)
        assert one.offered == done + sum(one.errors.values()) + one.unsent
        assert count(one.service_ns) == done


class TestPacing:
    def test_rotations_are_due_evenly_and_answered_in_their_interval(self) -> None:
        """100 a second, 1 ms each; a refused one is an error and no latency."""
        clock = FakeTime()
        intervals = paced(clock, TimedStore(clock))
        assert [one.offered for one in intervals] == [100] * 4
        assert [one.errors for one in intervals] == [{"expired": 2}] * 4
        assert [one.late for one in intervals] == [0] * 4
        assert percentile_ns(intervals[0].response_ns, "50") == pytest.approx(MS, rel=0.01)
        assert_accounted(intervals)

    def test_what_waits_behind_a_stall_counts_as_waiting(self) -> None:
        """A stall of 0.5 s is one slow service, and the response of all that were due meanwhile."""
        clock = FakeTime()
        intervals = paced(clock, TimedStore(clock, slow=110, slow_ns=500 * MS))
        stalled = intervals[1]
        p90_response, p90_service = (
            percentile_ns(histogram, "90") or 0
            for histogram in (stalled.response_ns, stalled.service_ns)
        )
        assert p90_response > 400 * MS
        assert p90_service < 2 * MS
        # The client was never free and idle: this is the store's doing.
        assert sum(one.late for one in intervals) == 0
        assert_accounted(intervals)

    def test_a_generator_that_oversleeps_is_late_and_says_so(self) -> None:
        clock = FakeTime(oversleeps_ns=6 * MS)
        intervals = paced(clock, TimedStore(clock))
        assert all(one.late > 90 for one in intervals)
        assert_accounted(intervals)

    def test_what_was_never_sent_is_counted(self) -> None:
        """The store hangs for longer than the queue is worked off."""
        clock = FakeTime()
        intervals = paced(clock, TimedStore(clock, slow=110, slow_ns=30_000 * MS))
        assert [one.unsent for one in intervals] == [0, 89, 100, 100]
        assert_accounted(intervals)

    def test_clients_add_up(self) -> None:
        """Counts are summed, histograms merged."""
        clock = FakeTime()
        mine = paced(clock, TimedStore(clock))
        both = add_up([mine, mine])
        assert [one.offered for one in both] == [200] * 4
        assert both[0].errors == {"expired": 4}
        assert_accounted(both)


SHORT = Soak(rate=100, seconds=1.5, interval_seconds=0.5)
FILL = Fill(sessions=400, connections=4, most_seconds=60)


@pytest.mark.parametrize("spec", ["memory", "sqlite", "files:nofsync"])
def test_a_store_is_kept_at_it(spec: str, tmp_path: Path) -> None:
    """As many points as intervals, one look more, and everything accounted for."""
    with staged(spec, tmp_path) as stage:
        phases.execute(FILL, stage)
        seen = phases.execute(SHORT, stage)
    assert isinstance(seen, Soaked)
    assert [one.offered for one in seen.intervals] == [50] * 3
    assert len(seen.ticks) == 4
    assert all(one.errors == {} for one in seen.intervals)
    assert_accounted(seen.intervals)
    assert ("log_bytes" in seen.ticks[0].counters) == (spec == "sqlite")
    assert seen.client_cpu_ns > 0
    assert seen.client_rss_bytes > 0
    # There is no server: what goes to disk is the worker's doing, and nothing goes over a network.
    assert (seen.server_cpu_ns, seen.server_rss_bytes) == (None, None)
    assert seen.cost.written_bytes is not None
    assert seen.cost.missing.keys() >= set(NETWORK)


@pytest.mark.parametrize("spec", ["redis:aof-everysec", "postgres:async", "mongo:w1"])
def test_a_server_says_what_it_does_meanwhile(
    spec: str, tmp_path: Path, start_server: Callable[..., Server]
) -> None:
    """What we make it do in the background is in its counters, and named in the series."""
    kind = spec.partition(":")[0]
    server = start_server(kind, backends.resolve(spec).profile.server)
    with staged(spec, tmp_path, server) as stage:
        phases.execute(FILL, stage)
        with counters.reader(stage) as read:
            before = read()
            soaked = phases.execute(SHORT, stage)
            _disturb(kind, server.url)
            after = read()
    assert isinstance(soaked, Soaked)
    assert soaked.server_cpu_ns
    assert soaked.server_rss_bytes
    assert soaked.cost.sent_bytes
    assert soaked.cost.received_bytes
    assert soaked.cost.written_bytes is not None
    ticks = [Counters(at_seconds=0, counters=dict(one)) for one in (before, before, after)]
    series = series_of([point(), point()], ticks)
    expected = {"redis": "fork", "postgres": "checkpoint", "mongo": "checkpoint"}[kind]
    assert expected in series.points[0].events
    log = "log_bytes" if kind == "redis" else "written_log_bytes"
    assert (series.grown(log) or 0) > 0
    if kind == "postgres":
        assert after["updates"] >= after["hot_updates"] > before["hot_updates"]


def _disturb(kind: str, url: str) -> None:
    if kind == "redis":
        with redis.Redis.from_url(url) as client:
            client.config_set("auto-aof-rewrite-percentage", "0")
            client.bgrewriteaof()
    elif kind == "postgres":
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
            connection.execute("CHECKPOINT")
    else:
        with MongoClient[dict[str, str]](url) as client:
            client.admin.command("fsync")


def test_a_checkpoint_of_sqlite_is_seen_from_outside(tmp_path: Path) -> None:
    """After one, the log is begun anew by the next write, whoever writes it."""
    subject = backends.resolve("sqlite")
    subject.prepare(Place(tmp_path))
    [file] = tmp_path.glob("*.sqlite3")
    seen = []
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(file)) as other:
        for number, database in enumerate([one, other, one, one, other]):
            database.execute("INSERT INTO refresh_denial VALUES (?, 1)", (bytes([number]),))
            database.commit()
            seen.append(counters.sqlite.read(tmp_path))
            database.execute("PRAGMA wal_checkpoint(RESTART)")
    first = seen[0]["checkpoints"]
    assert [found["checkpoints"] - first for found in seen] == [0, 1, 2, 3, 4]
    assert seen[0]["log_bytes"] > 0
    assert counters.sqlite.read(tmp_path / "nowhere") == {}


def point(latency_ms: float = 1.0, *, late: int = 0) -> Point:
    latencies = records.samples([latency_ms * 1_000] * 200).latency_ns
    return Point(
        offered=200, errors={}, unsent=0, late=late, service_ns=latencies, response_ns=latencies
    )


def tick(number: int, **counters: float) -> Counters:
    return Counters(at_seconds=float(number), counters=counters)


def findings(points: Sequence[Point], ticks: Sequence[Counters]) -> SoakFindings:
    return SoakFindings(
        rate=200,
        interval_seconds=1,
        sessions=100,
        points=list(points),
        ticks=list(ticks),
        processes=2,
        client_cpu_ns=len(points) * 200 * 20_000,
        client_rss_bytes=150_000_000,
        server_cpu_ns=len(points) * 200 * 50_000,
        server_rss_bytes=60_000_000,
        cost=Cost(
            written_bytes=len(points) * 200 * 400,
            fsyncs=None,
            sent_bytes=len(points) * 200 * 90,
            received_bytes=len(points) * 200 * 30,
            missing={"fsyncs": "nobody may count them"},
        ),
    )


def judged(points: Sequence[Point], ticks: Sequence[Counters]) -> Judged[SoakFindings]:
    found = findings(points, ticks)
    return Judged(records.trial("postgres:sync", "soak", "rotations", 1, found), found)


def series_of(points: Sequence[Point], ticks: Sequence[Counters]) -> SoakSeries:
    run = records.run_of([one for one in records.subjects() if one.label == "postgres:sync"], [])
    [series] = soak_series(run, [judged(points, ticks)])
    return series


STALLED = [*[point()] * 4, point(80), *[point()] * 4]
CHECKPOINTED = [tick(n, checkpoints=float(n >= 5), autovacuum_running=0.0) for n in range(10)]


class TestStalls:
    def test_a_stall_is_named_by_what_the_store_did_at_the_time(self) -> None:
        """The checkpoint that fell into the interval, and nothing else."""
        series = series_of(STALLED, CHECKPOINTED)
        assert [n for n, one in enumerate(series.points) if one.stall] == [4]
        assert series.points[4].events == ["checkpoint"]
        assert [n for n, one in enumerate(series.points) if one.events] == [3, 4]
        assert series.grown("checkpoints") == 1

    def test_a_stall_of_no_known_cause_has_none(self) -> None:
        series = series_of(STALLED, [tick(n, checkpoints=3.0) for n in range(10)])
        assert series.points[4].stall
        assert series.points[4].events == []

    def test_a_steady_store_has_no_stall(self) -> None:
        """Slow all the time is slow, not stalled; twice a fast interval is no stall either."""
        slow = series_of([point(80)] * 9, CHECKPOINTED)
        uneven = series_of([point(), point(2), point(4), *[point()] * 6], CHECKPOINTED)
        assert not any(one.stall for one in (*slow.points, *uneven.points))

    def test_what_runs_is_named_while_it_runs(self) -> None:
        """A vacuum of three seconds is in each interval that it touches."""
        ticks = [tick(n, autovacuum_running=float(n in {4, 5, 6})) for n in range(10)]
        series = series_of(STALLED, ticks)
        touched = [n for n, one in enumerate(series.points) if one.events == ["autovacuum"]]
        assert touched == [2, 3, 4, 5, 6]

    def test_an_interval_in_which_the_generator_was_late_is_marked(self) -> None:
        """More than one rotation in twenty; fewer are the machine's usual."""
        series = series_of([point(late=11), point(late=9)], CHECKPOINTED[:3])
        assert [one.late for one in series.points] == [True, False]


def test_a_rotation_has_its_cost(tmp_path: Path) -> None:
    """CPU, memory, disk and network over all that came out well, or the reason for none."""
    one = judged([point()] * 3, CHECKPOINTED[:4])
    series = series_of([point()] * 3, CHECKPOINTED[:4])
    assert series.spent is not None
    assert series.spent.server_cpu_us is not None
    assert (series.spent.client_cpu_us, series.spent.server_cpu_us.value) == (20, 50)
    figures = {name: found.value for name, found in series.spent.cost.per_operation.items()}
    assert figures == {"written_bytes": 400, "sent_bytes": 90, "received_bytes": 30}
    assert (series.server_rss_bytes, series.client_rss_bytes) == (60_000_000, 150_000_000)
    subjects = [fact for fact in records.subjects() if fact.label == "postgres:sync"]
    run = records.run_of(subjects, [one.trial])
    page = write_report(records.write(tmp_path / "run", run, [one.trial]), tmp_path / "report")
    assert "What a rotation cost in the long run" in page.read_text(encoding="utf-8")
    assert "No fsyncs: nobody may count them." in page.read_text(encoding="utf-8")
    with (page.parent / "figures.csv").open(encoding="utf-8") as file:
        rows = {row["figure"]: row for row in csv.DictReader(file) if row["scenario"] == "soak"}
    assert float(rows["sent per operation"]["value"]) == 90
    assert rows["fsyncs per operation"]["missing"] == "nobody may count them"
    assert float(rows["server memory"]["value"]) == 60_000_000


def test_a_record_of_before_cost_was_kept_is_read() -> None:
    """It has CPU, and says why it has nothing else."""
    plain = judged([point()], CHECKPOINTED[:2]).findings.model_dump(mode="json")
    older = {
        name: value
        for name, value in plain.items()
        if name not in {"cost", "client_rss_bytes", "server_rss_bytes"}
    }
    found = SoakFindings.model_validate(older)
    trial = records.trial("postgres:sync", "soak", "rotations", 1, found)
    run = records.run_of([one for one in records.subjects() if one.label == "postgres:sync"], [])
    [series] = soak_series(run, [Judged(trial, found)])
    assert series.spent is not None
    assert set(series.spent.cost.missing) == set(FIGURES)
    assert series.client_rss_bytes is None


def test_the_report_tells_the_stalls_by_name(tmp_path: Path) -> None:
    """Section, picture, trial, and the event beside the stall."""
    one = judged(STALLED, CHECKPOINTED)
    subjects = [fact for fact in records.subjects() if fact.label == "postgres:sync"]
    run = records.run_of(subjects, [one.trial])
    folder = records.write(tmp_path / "run", run, [one.trial])
    page = write_report(folder, tmp_path / "report").read_text(encoding="utf-8")
    assert "at 4 s, 80.0 ms: checkpoint" in page
    assert "soak/rotations/postgres:sync/1" in page
    assert (tmp_path / "report/plots/soak.svg").exists()
