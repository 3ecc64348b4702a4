"""A subject's servers on hosts of their own, and clients that sit where a test wants them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import backends
from backends import Subject
from backends.errors import StoreUnavailable
from backends.store import Outcome, Place, Policy, Token
from bench import namespaces, servers
from bench.servers.cluster import Cluster
from bench.servers.hosts import Host
from bench.servers.server import Found
from bench.workspace import Workspace
from tests.server_store import NOW_MS, FullStore

ANSWERED_SECONDS = 30.0


@contextmanager
def running(spec: str, workspace: Workspace) -> Iterator[tuple[Subject, Cluster]]:
    """Start all servers of a subject, its place prepared."""
    subject = backends.resolve(spec)
    assert subject.topology is not None
    found = servers.find(str(subject.backend.server))
    assert isinstance(found, Found), found
    folder = workspace.folder("cluster")
    cluster = servers.start(found, folder, subject.profile.server, subject.topology.layout)
    assert isinstance(cluster, Cluster)
    try:
        subject.prepare(Place(folder, cluster.url))
        yield subject, cluster
    finally:
        cluster.close()


@contextmanager
def store_of(subject: Subject, cluster: Cluster, url: str | None = None) -> Iterator[FullStore]:
    """Open a store on the cluster; a connection belongs to the host of the thread that opens it."""
    store = subject.open(Place(cluster.folder, url or cluster.url), Policy())
    try:
        yield store  # type: ignore[misc]
    finally:
        store.close()


@contextmanager
def client_on(host: Host) -> Iterator[ThreadPoolExecutor]:
    """Give a thread that is on `host`, and so are the threads it starts."""
    assert host.namespace is not None
    with ThreadPoolExecutor(1, initializer=namespaces.enter, initargs=(host.namespace,)) as thread:
        yield thread


def wait_until_answered(store: FullStore, token: Token) -> None:
    """Read until there is an answer. Raises what the store raises, if that goes on."""
    deadline = time.monotonic() + ANSWERED_SECONDS
    while True:
        try:
            store.verify(token, token.device, NOW_MS)
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
        else:
            return


def known(store: FullStore, token: Token) -> bool:
    """Whether the store has the session of `token`, and this as its current token."""
    return store.verify(token, token.device, NOW_MS).outcome is Outcome.VALID
