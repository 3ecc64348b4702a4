"""Phases, executed on real worker processes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

import backends
from backends.store import Place, Policy
from bench import phases
from bench.errors import Failed
from bench.load.workers import workers
from bench.phases.stage import Stage
from scenarios import consistency, durability
from scenarios.consistency import Races
from scenarios.durability import DurabilityFindings
from scenarios.histogram import count
from scenarios.phases.disturb import Disturb
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.observe import Observe, Observed
from scenarios.phases.race import Contest, Mishap, Race, Raced
from scenarios.phases.workload import Workload

MOST_HEATS = 10
RACY = f"{Path(__file__).parent / 'racy_store.py'}:make"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """Give a stage for a subject that needs no server; each has a folder of its own."""
    with ExitStack() as ends:

        def build(spec: str) -> Stage:
            scratch = Path(tempfile.mkdtemp(dir=tmp_path))
            (scratch / "store").mkdir()
            subject = backends.resolve(spec)
            place = Place(scratch / "store")
            subject.prepare(place)
            return ends.enter_context(
                Stage(
                    subject=subject,
                    place=place,
                    policy=Policy(),
                    server=None,
                    seed=5,
                    scratch=scratch,
                )
            )

        yield build


def measure(connections: int) -> Measure:
    return Measure(
        name="rotate",
        workload=Workload(mix={"rotate": 1}, sessions=100),
        connections=connections,
        seconds=0.05,
        warmup_seconds=0.01,
        most_calls=2_000,
    )


def test_measure_counts_every_call_and_its_cost(stage: Callable[[str], Stage]) -> None:
    """A right store has no errors, and the client's CPU time is there beside the latencies."""
    seen = phases.execute(measure(4), stage("memory"))
    assert isinstance(seen, Measured)
    samples = seen.samples["rotate"]
    assert samples.errors == {}
    assert 0 < count(samples.latency_ns) <= 2_000
    assert 0 < samples.minimum_ns <= samples.maximum_ns <= seen.elapsed_ns
    assert seen.client_cpu_ns > 0
    assert seen.server_cpu_ns is None


def test_a_store_that_processes_cannot_share_is_measured_in_one(
    stage: Callable[[str], Stage],
) -> None:
    """Memory lives in one process, so all its clients are threads of that one."""
    seen = phases.execute(measure(8), stage("memory"))
    assert isinstance(seen, Measured)
    assert seen.processes == 1


def test_a_shared_store_is_measured_from_every_core(stage: Callable[[str], Stage]) -> None:
    """One worker process a core, but never more than there are connections."""
    here = stage("cookie")
    several, alone = phases.execute(measure(8), here), phases.execute(measure(1), here)
    assert isinstance(several, Measured)
    assert isinstance(alone, Measured)
    assert several.processes == len(os.sched_getaffinity(0))
    assert alone.processes == 1


def disturb(fault: str, seconds: float) -> Disturb:
    return Disturb(
        fault=fault,  # type: ignore[arg-type]
        workload=Workload(mix={"issue": 2, "rotate": 6, "revoke": 2}, sessions=20),
        instances=2,
        connections=4,
        seconds=seconds,
        rate=500,
    )


def struck(build: Callable[[str], Stage], spec: str, fault: str) -> DurabilityFindings:
    """Put a fault to a store amid its load.

    A busy machine may keep the load from its start until the fault is there: then it is longer.
    """
    for seconds in (0.2, 1.0, 5.0):
        found = durability.judge([phases.execute(disturb(fault, seconds), build(spec))])
        if found.acknowledged_issues > 20 and found.acknowledged_rotations > 0:
            return found
    raise AssertionError(found)


@pytest.mark.parametrize("fault", ["restart", "crash"])
def test_memory_loses_every_session_with_its_process(
    stage: Callable[[str], Stage], fault: str
) -> None:
    """The positive control: where all is lost, the checker counts all as lost."""
    found = struck(stage, "memory", fault)
    assert found.lost_sessions == found.acknowledged_issues
    assert found.resurrected_revoked == 0


@pytest.mark.parametrize("fault", ["restart", "crash"])
def test_files_keep_what_they_acknowledged(stage: Callable[[str], Stage], fault: str) -> None:
    """The page cache outlives the process: nothing acknowledged is lost or comes back."""
    found = struck(stage, "files:nofsync", fault)
    assert (found.lost_writes, found.lost_sessions, found.phantoms) == (0, 0, 0)


def test_instances_with_a_memory_each_do_not_see_one_another(stage: Callable[[str], Stage]) -> None:
    """A session issued by one instance is unknown to every other."""
    seen = phases.execute(Observe(instances=3, rounds=3), stage("memory"))
    assert isinstance(seen, Observed)
    assert {(look.act, look.seen) for look in seen.sightings} == {
        ("issue", False),
        ("rotate", False),
        ("revoke", False),
    }
    assert len(seen.sightings) == 3 * 3 * 2


def test_instances_on_shared_files_see_one_another(stage: Callable[[str], Stage]) -> None:
    """Issue, rotate and revoke are seen at once by every other instance."""
    seen = phases.execute(Observe(instances=3, rounds=3), stage("files:nofsync"))
    assert isinstance(seen, Observed)
    assert seen.errors == {}
    assert all(look.seen for look in seen.sightings)
    assert all(look.delay_ns > 0 for look in seen.sightings)


def heats(race: Race, here: Stage, enough: Callable[[Races], bool]) -> Sequence[Races]:
    """Race until a heat had enough of what it is about.

    A busy machine starts racers one after another: they don't meet, and prove nothing.
    """
    raced: list[Races] = []
    for _ in range(MOST_HEATS):
        raced += consistency.judge([phases.execute(race, here)]).races
        if enough(raced[-1]):
            return raced
    raise AssertionError(raced)


def test_a_racy_store_shows_more_than_one_winner(stage: Callable[[str], Stage]) -> None:
    """Read, then write: the race is lost in nearly every round."""
    heats(Race(instances=2, rounds=50), stage(RACY), lambda races: races.double_spends > 10)


REFUSES = """
from pathlib import Path
from tests.racy_store import RacyStore
from backends.store import Outcome, Rotation

class Store(RacyStore):
    def rotate(self, *arguments):
        return Rotation(Outcome.EXPIRED)

def make(directory: Path):
    return Store(directory)
"""


def test_an_act_that_is_refused_is_an_error_and_not_an_unseen_one(
    stage: Callable[[str], Stage], tmp_path: Path
) -> None:
    """What did not happen can't be seen by anyone, and says nothing of how stores are shared."""
    (tmp_path / "refuses.py").write_text(REFUSES)
    seen = phases.execute(Observe(instances=2, rounds=2), stage(f"{tmp_path / 'refuses.py'}:make"))
    assert isinstance(seen, Observed)
    assert {(look.act, look.seen) for look in seen.sightings} == {("issue", True)}
    assert seen.errors == {"RotationRefused": 2}


def test_a_right_store_shows_exactly_one_winner(stage: Callable[[str], Stage]) -> None:
    """However many instances race, one wins, and the rounds were really contested."""
    race = Race(instances=4, rounds=50)
    for races in heats(race, stage("files:nofsync"), lambda races: races.contested > 10):
        assert races.winners == ({1: races.contested} if races.contested else {})
        assert races.outcomes["rotated"] == 50
        assert (races.anomalies, races.undecided, races.disagreements) == ({}, {}, 0)
        assert races.orders == {"linearizable": 50}


def test_sixteen_instances_see_one_another_and_one_wins(stage: Callable[[str], Stage]) -> None:
    """As many as the presets ask for, each a process of its own."""
    here = stage("files:nofsync")
    seen = phases.execute(Observe(instances=16, rounds=2), here)
    assert isinstance(seen, Observed)
    assert seen.errors == {}
    assert [look.seen for look in seen.sightings] == [True] * (2 * 3 * 15)
    races = consistency.judge([phases.execute(Race(instances=16, rounds=20), here)]).races[0]
    assert sum(races.outcomes.values()) == 20 * 16
    assert (races.outcomes["rotated"], races.anomalies) == (20, {})


@pytest.mark.parametrize("contest", ["rotate", "revoke", "logout-all"])
def test_threads_of_one_process_race_where_processes_share_nothing(
    stage: Callable[[str], Stage], contest: Contest
) -> None:
    """Server memory holds behind its lock, in races that were contested."""
    race = Race(instances=4, rounds=30, contest=contest)
    for races in heats(race, stage("memory"), lambda races: races.contested > 20):
        assert races.anomalies == {}


@pytest.mark.parametrize("spec", ["memory-naive", "files-naive:nofsync"])
def test_the_naive_way_loses_races(stage: Callable[[str], Stage], spec: str) -> None:
    """So a race scenario can see a lost race; the search for an order agrees."""
    race = Race(instances=4, rounds=100)
    for races in heats(race, stage(spec), lambda races: races.double_spends > 0):
        assert races.disagreements == 0


def test_an_instance_that_stands_still_is_counted(stage: Callable[[str], Stage]) -> None:
    """It was stopped and went on; nothing was lost by it."""
    race = Race(instances=3, rounds=10, mishap="paused instance")
    seen = phases.execute(race, stage("files:nofsync"))
    races = consistency.judge([seen]).races[0]
    assert races.mishaps > 0
    assert races.rounds == 10
    assert races.anomalies == {}


@pytest.mark.parametrize(
    ("mishap", "why"),
    [
        ("lost answers", "the store has no server"),
        ("paused server", "the store has no server"),
        ("paused instance", "threads of one process"),
    ],
)
def test_a_mishap_that_a_store_can_not_have_is_not_passed(
    stage: Callable[[str], Stage], mishap: Mishap, why: str
) -> None:
    """Nothing is raced, and the observation says why."""
    seen = phases.execute(Race(instances=2, rounds=5, mishap=mishap), stage("memory"))
    assert isinstance(seen, Raced)
    assert why in seen.unsuited
    assert seen.history == []


UNAPPLIED = """
from backends.memory import CAPABILITIES, MemoryStore
from backends.store import Backend, Policy, Profile

class Store(MemoryStore):
    def settings(self):
        return {"fsync": "off"}

BACKEND = Backend(
    name="unapplied", title="Unapplied", summary="says one thing and does another",
    profiles={"safe": Profile(name="safe", summary="", capabilities=CAPABILITIES,
                              client={"fsync": "on"})},
    open=lambda place, profile, policy: Store(policy),
)
"""


def test_a_profile_that_is_not_in_force_is_never_measured(
    stage: Callable[[str], Stage], tmp_path: Path
) -> None:
    """What is read back must be what the profile says, or the trial fails and says why."""
    (tmp_path / "unapplied.py").write_text(UNAPPLIED)
    with pytest.raises(Failed, match=r"fsync is 'off', the profile needs 'on'"):
        phases.execute(measure(1), stage(f"{tmp_path / 'unapplied.py'}:BACKEND"))


def test_workers_end_when_the_block_does() -> None:
    """No worker is left, also when one was killed before."""
    with workers(2) as crew:
        pids = [worker.pid for worker in crew]
        crew[0].kill()
    assert not any(psutil.pid_exists(pid) for pid in pids)


ORPHANS = """
import time
from bench.load.workers import workers
if __name__ == "__main__":
    with workers(2) as crew:
        print(*[worker.pid for worker in crew], flush=True)
        time.sleep(60)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the runner leaves no worker behind."""
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(psutil.pid_exists(pid) for pid in pids)
