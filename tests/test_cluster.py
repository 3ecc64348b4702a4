"""Workers of a Dask cluster: on hosts of their own, with clocks of their own, on one store."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import backends
from backends.store import Place, Policy
from bench import cli, phases
from bench.errors import Missing, WrongUse
from bench.load import clocks
from bench.load.cluster import Cluster
from bench.load.workers import Source
from bench.phases.stage import Stage
from bench.run_folder import RunFolder
from bench.servers.hosts import NamespaceHosts
from bench.servers.server import Found, Server
from bench.workspace import Workspace
from scenarios.histogram import count
from scenarios.phases.measure import Measure, Measured
from scenarios.phases.workload import Workload
from tests import far_store
from tests.network_hosts import BOOTED_APART_SECONDS, address, apart, dask, listening

FAR = f"{Path(far_store.__file__)}:BACKEND"
HOSTS = 4
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


class TestClocks:
    """The offset of a worker's clock, on clocks that the test holds."""

    @pytest.mark.parametrize("seed", range(20))
    def test_the_true_offset_is_within_the_bound(self, seed: int) -> None:
        """However long the question and the answer are on their way, and however unlike."""
        rng = random.Random(seed)
        true_ns = rng.randrange(-(10**15), 10**15)
        now_ns = [rng.randrange(10**12)]

        def there() -> int:
            now_ns[0] += rng.randrange(5_000_000)
            told_ns = now_ns[0] + true_ns
            now_ns[0] += rng.randrange(5_000_000)
            return told_ns

        found = clocks.measure(there, lambda: now_ns[0])
        assert abs(found.ns - true_ns) <= found.error_ns
        assert found.error_ns < 5_000_000

    def test_instants_are_translated_there_and_back(self) -> None:
        """What a worker is told and what it tells are instants of the runner's."""
        clocks.set_ahead(1_000)
        try:
            assert clocks.to_local(5) == 1_005
            assert clocks.to_runner(clocks.to_local(5)) == 5
        finally:
            clocks.set_ahead(0)


@pytest.fixture(scope="module")
def hosts() -> Iterator[NamespaceHosts]:
    with NamespaceHosts(HOSTS) as made:
        yield made


@pytest.fixture(scope="module")
def cluster(workspace: Workspace, hosts: NamespaceHosts) -> Iterator[str]:
    """Give the scheduler's address; the second host's clock is a million seconds ahead."""
    prefixes = [
        apart(host) if number == 1 else host.prefix for number, host in enumerate(hosts.all)
    ]
    with dask(workspace, address(hosts), prefixes) as scheduler:
        yield scheduler


Build = Callable[[str, str, Source | None], Stage]


@pytest.fixture
def stage(tmp_path: Path) -> Build:
    """Give what makes a stage, to be entered inside the cluster that it takes its workers from."""

    def build(spec: str, url: str, source: Source | None) -> Stage:
        subject, place = backends.resolve(spec), Place(tmp_path, url)
        subject.prepare(place)
        return Stage(
            subject=subject,
            place=place,
            policy=Policy(),
            server=None,
            # Two stages on one server must not open the same families.
            seed=5 if source is None else 6,
            scratch=tmp_path,
            source=source,
        )

    return build


def rotations(connections: int, seconds: float) -> Measure:
    return Measure(
        name="rotate",
        workload=Workload(mix={"rotate": 1}, sessions=400),
        connections=connections,
        seconds=seconds,
        warmup_seconds=0.2,
    )


def measured(stage: Stage, phase: Measure) -> Measured:
    seen = phases.execute(phase, stage)
    assert isinstance(seen, Measured)
    assert seen.samples["rotate"].errors == {}
    return seen


def rate(seen: Measured) -> float:
    return count(seen.samples["rotate"].latency_ns) * 1e9 / seen.elapsed_ns


def growth(cluster: str, hosts: NamespaceHosts, stage: Build, seconds: float) -> list[float]:
    """Give the rates of one, two and four hosts with a client each, on the far store."""
    with (
        Cluster(cluster) as source,
        far_store.turns(address(hosts)) as url,
        stage(FAR, url, source) as here,
    ):
        return [rate(measured(here, rotations(n, seconds))) for n in (1, 2, 4)]


@ROOT
class TestHosts:
    def test_all_measure_at_the_same_time_whatever_their_clocks_say(
        self, cluster: str, stage: Build, hosts: NamespaceHosts
    ) -> None:
        """The one a million seconds ahead starts and ends with the others, and is reported."""
        with (
            Cluster(cluster) as source,
            far_store.turns(address(hosts)) as url,
            stage(FAR, url, source) as here,
        ):
            seen = measured(here, rotations(HOSTS, 0.5))
        assert seen.processes == HOSTS
        errors_ns = max(worker.clock_error_ns for worker in here.workers)
        assert 0.5e9 <= seen.elapsed_ns < 1e9 + 2 * errors_ns
        assert sorted(worker.host for worker in here.workers) == [1, 2, 3, 4]
        for worker in here.workers:
            true_ns = 0 if worker.same_clock else BOOTED_APART_SECONDS * 10**9
            assert abs(worker.clock_offset_ns - true_ns) <= worker.clock_error_ns
        assert [worker.same_clock for worker in here.workers].count(False) == 1

    def test_throughput_grows_with_hosts_until_the_store_is_the_limit(
        self, cluster: str, stage: Build, hosts: NamespaceHosts
    ) -> None:
        """One client a host, 5 ms away from a store that does 400 calls a second and no more."""
        one, two, four = growth(cluster, hosts, stage, 1.0)
        assert two > 1.5 * one
        assert two < four <= 1 / far_store.BUSY_SECONDS
        assert four < 3.5 * one

    @pytest.mark.slow
    def test_growth_at_length(
        self,
        cluster: str,
        stage: Build,
        hosts: NamespaceHosts,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The same for longer, with the figures: `pytest -m slow tests/test_cluster.py`."""
        rates = growth(cluster, hosts, stage, 10.0)
        with capsys.disabled():
            for count_of_hosts, found in zip((1, 2, 4), rates, strict=True):
                sys.stdout.write(f"\n{count_of_hosts} hosts: {found:.0f} rotations a second")
        one, two, four = rates
        assert 1.7 * one < two < four <= 1 / far_store.BUSY_SECONDS

    def test_hosts_find_what_this_machine_finds(
        self,
        cluster: str,
        stage: Build,
        hosts: NamespaceHosts,
        fresh_server: Callable[..., Server],
    ) -> None:
        """The same store under the same load: no errors, the same bytes, a rate of that size.

        Neighbours come and go here; tests/test_cluster_like_local.py compares the rates by turns.
        """
        server = fresh_server("redis", listening(hosts, backends.resolve("redis:none")))
        url = server.url.replace("127.0.0.1", address(hosts))
        phase = rotations(2, 1.0)
        with stage("redis:none", url, None) as here:
            local = measured(here, phase)
        with Cluster(cluster) as source, stage("redis:none", url, source) as there:
            far = measured(there, phase)
        assert 1 / 3 < rate(far) / rate(local) < 3
        per_operation = [
            seen.cost.sent_bytes / count(seen.samples["rotate"].latency_ns)
            for seen in (local, far)
            if seen.cost and seen.cost.sent_bytes
        ]
        assert per_operation[0] == pytest.approx(per_operation[1], rel=0.01)

    def test_a_run_names_its_workers_and_no_address(
        self,
        cluster: str,
        hosts: NamespaceHosts,
        fresh_server: Callable[..., Server],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """From the command line to the report."""
        server = fresh_server("redis", listening(hosts, backends.resolve("redis:none")))
        monkeypatch.setenv(
            "REFRESHBENCH_REDIS_URL", server.url.replace("127.0.0.1", address(hosts))
        )
        words = ["run", "latency", "-b", "redis:none", "--servers", "url", "--workers", cluster]
        words += [f"--set=latency.{key}" for key in ("trials=1", "connections=4", "seconds=0.05")]
        words += ["--results", str(tmp_path / "results"), "--reports", str(tmp_path / "reports")]
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
        [path] = (tmp_path / "results").iterdir()
        folder = RunFolder(path)
        assert {worker.host for worker in folder.trials()[0].workers} == {1, 2, 3, 4}
        assert address(hosts) not in (path / "run.json").read_text()
        [page] = (tmp_path / "reports").rglob("index.html")
        assert "4 workers on 4 hosts" in page.read_text()

    def test_a_server_on_loopback_is_refused_before_anything_starts(self, cluster: str) -> None:
        """Workers on other hosts could never reach it."""
        found = {"redis": Found("redis", "wheel", "", "8")}
        with Cluster(cluster) as source, pytest.raises(WrongUse, match="--servers url"):
            source.require_reach(found)


def test_a_wrong_address_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, and how to start what isn't there; 2 where it is no address at all."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "latency", "-b", "cookie", "--workers", "tcp://127.0.0.1:9"])
    assert ended.value.code == 3
    [line] = [x for x in capsys.readouterr().err.splitlines() if x.startswith("refreshbench:")]
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in line
    assert "dask worker" in line
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "latency", "-b", "cookie", "--workers", "dask"])
    assert ended.value.code == 2
    assert "tcp://HOST:PORT" in capsys.readouterr().err


OTHER_VERSION = """
import importlib.metadata as metadata
real = metadata.version
def version(name):
    if name == "refreshbench":
        {instead}
    return real(name)
version.__module__, version.__qualname__ = "importlib.metadata", "version"
metadata.version = version
"""


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ("return '0.0.1'", r"has refreshbench 0\.0\.1, and here is"),
        ("raise metadata.PackageNotFoundError(name)", "has no refreshbench: pip install"),
    ],
)
def test_a_worker_that_cannot_do_our_work_is_told_of(
    workspace: Workspace, tmp_path: Path, instead: str, says: str
) -> None:
    """Another version, or none: the address, and what to do there."""
    (tmp_path / "sitecustomize.py").write_text(OTHER_VERSION.format(instead=instead))
    with (
        dask(workspace, "127.0.0.1", [()], {"PYTHONPATH": str(tmp_path)}) as scheduler,
        pytest.raises(Missing, match=says),
        Cluster(scheduler),
    ):
        pass


def test_too_few_workers_are_told_of(workspace: Workspace, stage: Build) -> None:
    """Two instances need two workers; and a cluster that nobody joined has none."""
    with (
        dask(workspace, "127.0.0.1", [()]) as scheduler,
        Cluster(scheduler) as source,
        stage("cookie", "", source) as here,
    ):
        assert measured(here, rotations(2, 0.05)).processes == 1
        with pytest.raises(Missing, match="has 1: start more"):
            here.crew(2)
    with dask(workspace, "127.0.0.1", []) as scheduler, pytest.raises(Missing, match="no worker"):
        Cluster(scheduler).__enter__()
