"""Growth: sessions that are derived and not kept, stores that are filled with them, and figures."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import backends
import scenarios
from backends.memory import CAPABILITIES, MemoryStore
from backends.store import Bound, Capabilities, Outcome, Policy
from bench import phases
from bench.analysis import summary
from bench.analysis.evidence import Judged
from bench.analysis.scale import beyond, scale_figures
from bench.load.population import Population, Walk
from bench.plan import facts
from bench.record import SubjectFacts
from bench.report import short_table
from bench.report import write as write_report
from bench.servers.server import Server
from scenarios import scale
from scenarios.histogram import count
from scenarios.phases.fill import Fill, Filled
from scenarios.phases.visit import Visit, Visited
from scenarios.scenario import Effort
from tests import records
from tests.filling import staged

NOW_MS = 1_800_000_000_000
RACY = f"{Path(__file__).parent / 'racy_store.py'}:make"


def fill(sessions: int, seconds: float = 60.0) -> Fill:
    return Fill(sessions=sessions, connections=4, most_seconds=seconds)


def visit(operation: str, most_calls: int = 3_000) -> Visit:
    return Visit(
        operation=operation,  # type: ignore[arg-type]
        seconds=0.2,
        warmup_seconds=0.02,
        most_calls=most_calls,
    )


class TestPopulation:
    def test_a_session_is_the_same_whenever_it_is_asked_for(self) -> None:
        """From the seed, the index and the generation alone."""
        here, there = Population(7, NOW_MS), Population(7, NOW_MS)
        assert here.session(123_456) == there.session(123_456)
        held = here.held(123_456, 0)
        assert (held.family, held.digest) == (
            here.session(123_456).family,
            here.session(123_456).digest,
        )
        assert here.successor(9, 0, NOW_MS).digest == here.held(9, 1).digest
        assert Population(8, NOW_MS).session(5).family != here.session(5).family

    def test_no_two_sessions_share_a_family_and_four_share_a_subject(self) -> None:
        families = [one.family for one in Population(7, NOW_MS).sessions(0, 4_000)]
        assert len(set(families)) == 4_000
        assert len({family.subject for family in families}) == 1_000

    def test_subjects_come_in_no_order(self) -> None:
        """As random ids do: an index that grows at its end alone is smaller and faster."""
        subjects = [one.family.subject for one in Population(7, NOW_MS).sessions(0, 4_000)][::4]
        rising = sum(a < b for a, b in itertools.pairwise(subjects))
        assert 450 < rising < 550

    @pytest.mark.parametrize("length", [1, 2, 3, 125, 1_000, 1_250])
    def test_a_walk_rotates_each_session_once_a_round(self, length: int) -> None:
        """A real store agrees with every generation and digest that the walk derives."""
        population = Population(7, NOW_MS)
        store = MemoryStore(Policy())
        store.load(population.sessions(100, 100 + length))
        walk = Walk(population, range(100, 100 + length))
        for turn in range(2 * length + length // 2):
            index, held = walk.ahead(0)
            assert held.generation == turn // length
            rotation = store.rotate(
                held.token(), walk.propose(index, held, NOW_MS), held.device, NOW_MS
            )
            assert rotation.outcome is Outcome.ROTATED
            walk.turns += 1
        for turn in range(length):
            _, held = walk.ahead(turn)
            assert store.verify(held.token(), held.device, NOW_MS).outcome is Outcome.VALID


class TestFilling:
    @pytest.mark.parametrize("spec", ["memory", "files:nofsync", "sqlite", RACY])
    def test_what_is_loaded_can_be_verified_and_rotated(self, spec: str, tmp_path: Path) -> None:
        """By the store's own fast way or, where it has none, by issuing; and at a new size."""
        with staged(spec, tmp_path) as stage:
            for size in (200, 1_000):
                filled = phases.execute(fill(size), stage)
                assert isinstance(filled, Filled)
                assert (filled.sessions, filled.stopped) == (size, None)
                assert filled.bulk == (spec != RACY)
                for operation in ("verify", "rotate"):
                    seen = phases.execute(visit(operation), stage)
                    assert isinstance(seen, Visited)
                    assert seen.samples[operation].errors == {}
                    assert count(seen.samples[operation].latency_ns) > 0

    @pytest.mark.parametrize("spec", ["redis:none", "postgres:async", "mongo:w1"])
    def test_a_server_is_filled_from_every_core_and_says_its_size(
        self, spec: str, tmp_path: Path, start_server: Callable[..., Server]
    ) -> None:
        """Its memory or disk grows with the sessions, by its own word (MongoDB compresses)."""
        kind = spec.partition(":")[0]
        server = start_server(kind, backends.resolve(spec).profile.server)
        with staged(spec, tmp_path, server) as stage:
            before = phases.execute(fill(0), stage)
            filled = phases.execute(fill(6_000), stage)
            rotated = phases.execute(visit("rotate"), stage)
        assert isinstance(before, Filled)
        assert isinstance(filled, Filled)
        assert isinstance(rotated, Visited)
        assert (before.sessions, filled.sessions, filled.bulk) == (0, 6_000, True)
        assert rotated.samples["rotate"].errors == {}
        assert rotated.cost.sent_bytes
        assert rotated.cost.written_bytes is not None
        name = "memory_bytes" if kind == "redis" else "data_bytes"
        assert filled.counters[name] - before.counters[name] > 6_000 * 50
        assert filled.disk_bytes is not None
        assert filled.server_rss_bytes is not None

    def test_a_slow_store_is_stopped_when_its_time_is_up(self, tmp_path: Path) -> None:
        """It says so, and is measured at the size that it has."""
        with staged("files:nofsync", tmp_path) as stage:
            filled = phases.execute(fill(2_000_000, seconds=0.2), stage)
            seen = phases.execute(visit("rotate"), stage)
        assert isinstance(filled, Filled)
        assert filled.stopped == "time"
        assert 0 < filled.sessions < 2_000_000
        assert isinstance(seen, Visited)
        assert seen.samples["rotate"].errors == {}


class TestDeclaring:
    def test_a_store_grows_no_further_than_it_declares(self) -> None:
        """Memory to a million; a cookie, which holds nothing, not at all."""
        thorough = scenarios.load("scale").presets[Effort.THOROUGH]
        [case] = scale.cases(thorough, CAPABILITIES)  # type: ignore[arg-type]
        sizes = [phase.sessions for phase in case.phases if isinstance(phase, Fill)]
        assert sizes == [0, 1_000, 10_000, 100_000, 1_000_000]
        nothing = Capabilities(bound=Bound(0, "the clients hold them"))
        assert scale.cases(thorough, nothing) == []  # type: ignore[arg-type]

    def test_the_report_names_what_a_store_is_not_meant_for(self) -> None:
        described = facts([backends.resolve("memory"), backends.resolve("redis")], control=False)
        run = records.run_of(described, [], parameters={"scale": {"sessions": [1_000, 10_000_000]}})
        [one] = beyond(run)
        assert (one.label, one.wanted) == ("memory:process", 10_000_000)
        assert "memory" in one.reason


def size(sessions: int, *, mb: int, disk_mb: int | None = None, **other: object) -> scale.Size:
    plain: dict[str, object] = {
        "wanted": sessions,
        "sessions": sessions,
        "added": sessions,
        "load_ns": 10**9,
        "bulk": True,
        "stopped": None,
        "processes": 2,
        "load_client_cpu_ns": sessions * 10_000,
        "load_server_cpu_ns": sessions * 4_000,
        "client_rss_bytes": 10**8,
        "server_rss_bytes": mb * 10**6,
        "disk_bytes": None if disk_mb is None else disk_mb * 10**6,
        "counters": {},
        "visits": [],
    }
    return scale.Size.model_validate({**plain, **other})


def visits(operation: str, latency_us: float) -> scale.Visits:
    return scale.Visits(
        operation=operation,
        samples=records.samples([latency_us] * 200),
        elapsed_ns=10**8,
        client_cpu_ns=10**7,
        server_cpu_ns=10**7,
        processes=2,
    )


def found(sizes: Sequence[scale.Size], label: str) -> Judged[scale.ScaleFindings]:
    findings = scale.ScaleFindings(sizes=list(sizes))
    return Judged(records.trial(label, "scale", "growing", 1, findings), findings)


def subject(label: str) -> SubjectFacts:
    return next(one for one in records.subjects() if one.label == label)


class TestFigures:
    def test_space_is_what_was_added_above_the_empty_store(self) -> None:
        """And nothing is said where too little was added to tell."""
        grown = [
            size(0, mb=50, disk_mb=10, added=0),
            size(1_000, mb=51, disk_mb=10),
            size(100_000, mb=100, disk_mb=40, visits=[visits("rotate", 50)]),
        ]
        small, large = scale_figures(
            records.run_of([subject("redis:none")], []), [found(grown, "redis:none")]
        )
        assert small.memory_bytes is None
        assert small.disk_bytes is None
        assert large.memory_bytes is not None
        assert large.memory_bytes.value == 500
        assert large.kept_bytes == large.disk_bytes
        assert large.load_rate is not None
        assert (large.load_rate.value, large.load_client_us, large.load_server_us) == (1e5, 10, 4)
        assert large.visits["rotate"].p50_ns == pytest.approx(50_000, rel=0.01)

    def test_a_visit_that_ran_out_of_calls_says_so(self) -> None:
        """Its figures are of less time than was asked for."""
        whole, cut = (
            visits("rotate", 50),
            visits("verify", 5).model_copy(update={"exhausted": True}),
        )
        grown = [size(0, mb=50, added=0), size(1_000, mb=51, visits=[whole, cut])]
        [one] = scale_figures(
            records.run_of([subject("redis:none")], []), [found(grown, "redis:none")]
        )
        assert {name: seen.short for name, seen in one.visits.items()} == {
            "rotate": False,
            "verify": True,
        }

    def test_rows_and_indexes_are_kept_and_logs_are_not(self) -> None:
        """Where the store says how large each is, the log beside them doesn't count."""
        empty, full = (
            {"data_bytes": 8e3, "index_bytes": 8e3},
            {"data_bytes": 2e7, "index_bytes": 1e7},
        )
        grown = [
            size(0, mb=50, disk_mb=50, added=0, counters=empty),
            size(100_000, mb=60, disk_mb=150, counters=full),
        ]
        [one] = scale_figures(
            records.run_of([subject("postgres:sync")], []), [found(grown, "postgres:sync")]
        )
        assert one.kept_bytes is not None
        assert one.disk_bytes is not None
        assert one.kept_bytes.value == pytest.approx(300, abs=1)
        assert one.disk_bytes.value == 1_000

    def test_the_report_has_a_section_a_picture_and_the_trials(self, tmp_path: Path) -> None:
        """Every figure can be traced, and what was stopped says so."""
        sizes = [size(0, mb=50, disk_mb=10, added=0)]
        for number in (1_000, 10_000, 100_000):
            now = [visits("verify", 30), visits("rotate", 50)]
            sizes.append(size(number, mb=50 + number // 2_000, disk_mb=11, visits=now))
        sizes[-1] = sizes[-1].model_copy(update={"stopped": "time", "sessions": 60_000})
        one = found(sizes, "redis:none")
        run = records.run_of([subject("redis:none")], [one.trial])
        folder = records.write(tmp_path / "run", run, [one.trial])
        page = write_report(folder, tmp_path / "report").read_text(encoding="utf-8")
        markdown = (tmp_path / "report" / "comparison.md").read_text(encoding="utf-8")
        for text in (page, markdown):
            assert "Latency, load rate and space at each number of sessions" in text
            assert "not measured" not in text
            assert "In words" not in text
        assert "(plots/scale.png)" in markdown
        assert not (tmp_path / "report" / "comparison.csv").exists()
        assert "Growth" in page
        notes = short_table(summary(run, [one.trial])).notes
        assert "growth: too much for a line a store; the report has it" in notes
        assert "scale/growing/redis:none/1" in page
        assert "What an operation cost at each number of sessions" in page
        assert "Loading was stopped when its time was up" in page
        assert (tmp_path / "report/plots/scale.svg").exists()
