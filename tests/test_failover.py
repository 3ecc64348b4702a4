"""Failovers on real servers: what is lost, what isn't, and that both are seen."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import backends
from backends.errors import StoreUnavailable
from backends.store import Outcome, Place, Policy, RefreshStore, Verification
from bench import phases
from bench.load.clients import Clients, Held
from bench.load.worker import now_ms
from bench.phases.stage import Stage
from bench.servers.cluster import Cluster, until
from bench.workspace import Workspace
from scenarios import staleness
from scenarios.failover import FailoverFindings, FailoverParameters, cases, judge
from tests.conftest import start_or_skip

PARAMETERS = FailoverParameters(
    trials=1, partitions=(3.0,), kills=(3.0,), before_seconds=0.5, sessions=16, shared=10, rate=100
)

Failing = Callable[[str, str], FailoverFindings]


@pytest.fixture
def cluster(workspace: Workspace) -> Iterator[Callable[[str], Cluster]]:
    """Give `spec -> Cluster`, started for this test alone."""
    with ExitStack() as ends:

        def start(spec: str) -> Cluster:
            subject = backends.resolve(spec)
            kind = subject.backend.server
            assert kind is not None
            started = start_or_skip(workspace, kind, subject.profile.server, subject.layout)
            ends.callback(started.close)
            assert isinstance(started, Cluster)
            return started

        yield start


@pytest.fixture
def fail_over(cluster: Callable[[str], Cluster], tmp_path: Path) -> Failing:
    """Give `(spec, strike) -> findings` of one trial."""

    def play(spec: str, strike: str) -> FailoverFindings:
        subject = backends.resolve(spec)
        server = cluster(spec)
        [case] = [
            case
            for case in cases(PARAMETERS, subject.profile.capabilities)
            if case.name.startswith(strike)
        ]
        place = Place(tmp_path, server.url)
        subject.prepare(place)
        with Stage(
            subject=subject, place=place, policy=Policy(), server=server, seed=5, scratch=tmp_path
        ) as stage:
            return judge([phases.execute(case.phases[0], stage)])

    return play


@pytest.mark.server("redis")
def test_a_replica_that_lags_loses_what_the_old_primary_acknowledged(fail_over: Failing) -> None:
    """Both sides acknowledge while they are parted; one side's writes are gone when they meet."""
    found = fail_over("redis:none@sentinel", "partition")
    assert found.took_over
    if found.means == "pause":
        assert found.acknowledged_by_old == 0
        return
    assert found.acknowledged_by_old > 0
    assert found.lost_writes > 0
    assert found.double_spends > 0
    assert found.phantoms == 0
    assert found.outage_ns is not None
    assert 0 < found.outage_ns <= found.lasted_ns


@pytest.mark.server("redis")
def test_waiting_for_a_replica_keeps_a_parted_primary_from_acknowledging(
    fail_over: Failing,
) -> None:
    """Under the same fault nothing is lost and nothing is spent twice, since nobody promised it."""
    found = fail_over("redis:none@sentinel-wait1", "partition")
    assert found.took_over
    assert found.acknowledged > 0
    assert (found.lost_writes, found.double_spends) == (0, 0)


@pytest.mark.server("redis")
def test_when_the_primary_dies_both_sides_meet_at_the_new_one(fail_over: Failing) -> None:
    """A token shown on both sides is then reuse, found by the store: never two holders."""
    found = fail_over("redis:none@sentinel", "kill")
    assert found.took_over
    assert found.shown_on_both_sides > 0
    assert found.double_spends == 0


@pytest.mark.server("redis")
def test_a_store_finds_the_new_primary_by_itself(cluster: Callable[[str], Cluster]) -> None:
    """While there is none it is unavailable and nothing is sent; then it goes on where it was."""
    spec = "redis:none@sentinel"
    server = cluster(spec)
    store = backends.resolve(spec).open(Place(Path(), server.url), Policy())
    clients = Clients(1, "finds")
    session, held = clients.open_session(now_ms())
    store.issue(session)
    old = server.primary()
    server.members[old].kill()
    with pytest.raises(StoreUnavailable):
        store.verify(held.token(), held.device, now_ms())
    server.wait_for_new_primary(old)
    after = until(lambda: _asked(store, held), "it found no primary")
    assert after.session is not None
    store.close()


@pytest.mark.server("redis")
def test_a_cluster_moves_a_third_of_the_keys_to_another_and_the_store_follows(
    cluster: Callable[[str], Cluster],
) -> None:
    """Each key is found again at its new owner; nobody sends on what wasn't answered."""
    spec = "redis:none@cluster"
    server = cluster(spec)
    store = backends.resolve(spec).open(Place(Path(), server.url), Policy())
    clients = Clients(1, "moves")
    opened = [clients.open_session(now_ms()) for _ in range(60)]
    for session, _ in opened:
        store.issue(session)
    old = server.primary()
    # SIGKILL may come before a replica has the last of it: that isn't what is asked here.
    time.sleep(0.5)
    server.members[old].kill()
    server.wait_for_new_primary(old)
    found = [until(lambda h=held: _asked(store, h), "no owner") for _, held in opened]  # type: ignore[misc]
    assert {one.outcome for one in found} == {Outcome.VALID}
    server.members[old].restart()
    server.wait_until_settled()
    store.close()


@pytest.mark.server("redis")
def test_a_revocation_is_seen_through_a_replica(
    cluster: Callable[[str], Cluster], tmp_path: Path
) -> None:
    """Sooner or later, each of them; how long it took is what is measured."""
    spec = "redis:none@sentinel"
    subject, server = backends.resolve(spec), cluster(spec)
    asked = staleness.StalenessParameters(trials=1, revocations=30)
    [case] = staleness.cases(asked, subject.profile.capabilities)
    place = Place(tmp_path, server.url)
    with Stage(
        subject=subject, place=place, policy=Policy(), server=server, seed=5, scratch=tmp_path
    ) as stage:
        found = staleness.judge([phases.execute(case.phases[0], stage)])
    assert len(found.accepted_ns) == 30
    assert found.never == found.unacknowledged == 0


def _asked(store: RefreshStore, held: Held) -> Verification | None:
    try:
        return store.verify(held.token(), held.device, now_ms())
    except StoreUnavailable:
        return None
