"""Workers on other hosts: those of a Dask cluster, each on one Dask worker.

    refreshbench run --workers tcp://HOST:PORT

A worker of ours keeps a store between phases, so each is tied to the address of one Dask worker,
with one thread. Nothing of a trial stays there: the store is closed and the clock forgotten.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from bench.errors import Failed, Missing, WrongUse
from bench.load import clocks, worker
from bench.load.workers import PATIENCE_SECONDS, Local, Source, Worker
from bench.options import CLUSTER, LOCAL
from bench.servers.server import Found

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
R = TypeVar("R")

DISTRIBUTION = "refreshbench"
CONNECT_SECONDS = 5.0
START = "dask worker HOST:PORT --nthreads 1"


def source(where: str) -> contextlib.AbstractContextManager[Source]:
    """Give the workers that `--workers` names. Raises Missing, when entered: they aren't there."""
    if where == LOCAL:
        return contextlib.nullcontext(Local())
    if where == CLUSTER:
        raise WrongUse("which cluster? a record keeps no address: give --workers tcp://HOST:PORT")
    return Cluster(where)


class ClusterWorker(Worker):
    """A worker on one Dask worker."""

    def __init__(self, client: "Client", address: str) -> None:
        super().__init__(
            client.get_executor(pure=False, workers=[address], allow_other_workers=False)
        )
        self._cpus = self.call(os.sched_getaffinity, 0)
        # A clock that is the same needs no translation, which could only be less exact.
        ahead_ns = 0 if clocks.same_clock(self.host, clocks.here()) else self.clock.ns
        self.call(clocks.set_ahead, ahead_ns)

    def stay_on(self, turn: int) -> None:
        """Keep its threads to come on one CPU, as those of a local worker are."""
        cpus = sorted(self._cpus)
        self.call(os.sched_setaffinity, 0, {cpus[turn % len(cpus)]})

    def end(self) -> None:
        """Close the store there, and let the Dask worker be as it was."""
        # What fails here failed before, and was told then; or the worker is gone.
        with contextlib.suppress(Exception):
            self.call(worker.forget)
            self.call(os.sched_setaffinity, 0, self._cpus)
        self._executor.shutdown(wait=False)


class Cluster:
    """A Dask cluster, as a context manager; our connection to it ends with the block."""

    lead_ns = 300_000_000

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> Self:
        """Connect, and see that every worker can do our work. Raises Missing, Failed."""
        try:
            from distributed import Client  # noqa: PLC0415 - an extra
        except ImportError:
            raise Missing(
                "--workers tcp://… needs Dask: pip install 'refreshbench[distributed]'"
            ) from None
        try:
            self._client = Client(
                self._address, timeout=CONNECT_SECONDS, set_as_default=False, name="refreshbench"
            )
        except (OSError, ValueError) as error:
            raise Missing(
                f"no Dask scheduler answers at {self._address}: start one with `dask scheduler`,"
                f" and on each host `{START}`"
            ) from error
        try:
            self._addresses = self._fit()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def width(self) -> int:
        """All of them."""
        return len(self._addresses)

    @contextlib.contextmanager
    def workers(self, count: int, first: int = 0) -> Iterator[Sequence[Worker]]:
        """Take `count` Dask workers. Raises Missing: there are not so many."""
        if first + count > self.width:
            raise Missing(
                f"{first + count} workers are needed and the cluster has {self.width}: start more"
                f" with `{START}`"
            )
        taken: list[ClusterWorker] = []
        turns: dict[str, int] = {}
        try:
            for address in self._addresses[first : first + count]:
                joined = ClusterWorker(self._client, address)
                taken.append(joined)
                turn = turns.setdefault(joined.host.boot, first)
                turns[joined.host.boot] += 1
                joined.stay_on(turn)
            yield taken
        finally:
            for one in taken:
                one.end()

    def require_reach(self, servers: Mapping[str, Found]) -> None:
        """Make sure that the workers can reach the servers of the run. Raises WrongUse.

        What we start listens on loopback alone, since it asks for no password.
        """
        ours = sorted(kind for kind, found in servers.items() if found.way != "url")
        if not ours:
            return
        with self.workers(self.width) as crew:
            if any(
                (one.host.boot, one.host.network) != (clocks.here().boot, clocks.here().network)
                for one in crew
            ):
                raise WrongUse(
                    f"workers on other hosts can't reach a {ours[0]} that is started here, since it"
                    " listens on loopback alone: use one of your own, with --servers url"
                )

    def _fit(self) -> Sequence[str]:
        """Give the address of each Dask worker, once each is found fit. Raises Missing, Failed."""
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        if not known:
            raise Missing(f"the cluster at {self._address} has no worker: `{START}`")
        if wide := [name for name, about in known.items() if about["nthreads"] != 1]:
            raise Failed(f"the Dask worker {wide[0]} has several threads: `{START}`")
        # A function of the standard library: it needs nothing of ours to be there.
        asked: Mapping[str, Future[str]] = {
            address: self._client.get_executor(pure=False, workers=[address]).submit(
                version, DISTRIBUTION
            )
            for address in known
        }
        ours = version(DISTRIBUTION)
        for address, answer in asked.items():
            try:
                has = answer.result(PATIENCE_SECONDS)
            except PackageNotFoundError:
                raise Missing(
                    f"the Dask worker {address} has no refreshbench: pip install"
                    f" 'refreshbench[distributed]=={ours}' there, and start it again"
                ) from None
            if has != ours:
                raise Missing(
                    f"the Dask worker {address} has refreshbench {has}, and here is {ours}:"
                    " install the same there, and start it again"
                )
        return sorted(known)
