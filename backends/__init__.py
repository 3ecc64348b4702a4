"""Refresh-token stores, and how a subject such as `redis:aof-everysec` is found and opened.

A subject is `backend[:profile][@topology]`, or `path/to/file.py:factory` /
`package.module:factory` for any callable that returns a store. A third-party package registers a
`Backend` under the entry-point group `refreshbench.backends` and is then named like one of ours.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from backends.errors import MissingDriver, UnknownSubject
from backends.factory import backend_from, is_factory
from backends.store import Backend, Place, Policy, Profile, RefreshStore, Topology

BUILT_IN = {
    "redis": "backends.redis:BACKEND",
    "postgres": "backends.postgres:BACKEND",
    "postgres-sqlalchemy": "backends.postgres_sqlalchemy:BACKEND",
    "mongo": "backends.mongo:BACKEND",
    "sqlite": "backends.sqlite:BACKEND",
    "files": "backends.files:BACKEND",
    "memory": "backends.memory:BACKEND",
    "cookie": "backends.cookie:BACKEND",
    "redis-py": "backends.redis_py:BACKEND",
    "postgres-psycopg": "backends.postgres_psycopg:BACKEND",
    "mongo-pymongo": "backends.mongo_pymongo:BACKEND",
    "redis-naive": "backends.redis_naive:BACKEND",
    "postgres-naive": "backends.postgres_naive:BACKEND",
    "mongo-naive": "backends.mongo_naive:BACKEND",
    "sqlite-naive": "backends.sqlite_naive:BACKEND",
    "files-naive": "backends.files_naive:BACKEND",
    "memory-naive": "backends.memory_naive:BACKEND",
}
ENTRY_POINT_GROUP = "refreshbench.backends"


@dataclass(frozen=True, slots=True)
class Subject:
    """A store under test: a backend in one of its profiles."""

    spec: str
    """As it is written on the command line, profile included."""
    backend: Backend
    profile: Profile
    """With the settings of the topology, if there is one."""
    topology: Topology | None = None

    @property
    def layout(self) -> str | None:
        """Which servers it needs; None: a single one, or none."""
        return None if self.topology is None else self.topology.layout

    @property
    def lacking(self) -> Mapping[str, str]:
        """Name of each missing capability, of the profile and of the topology -> the reason."""
        lacking = self.profile.capabilities.lacking()
        if self.topology is None:
            return lacking
        return {**lacking, **self.topology.lacking(self.profile.name)}

    def prepare(self, place: Place) -> None:
        """Make a fresh place ready: tables, indexes. Once a place."""
        if self.backend.prepare is not None:
            self.backend.prepare(place, self.profile)

    def open(self, place: Place, policy: Policy) -> RefreshStore:
        """Open the store on a place that is ready."""
        return self.backend.open(place, self.profile, policy)


@cache
def registry() -> Mapping[str, str]:
    """Give backend name -> "module:attribute": ours, then what installed packages register."""
    found = {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return {**BUILT_IN, **{name: where for name, where in found.items() if name not in BUILT_IN}}


def load(name: str) -> Backend:
    """Import the backend registered as `name`.

    Raises UnknownSubject, or MissingDriver with the command that installs it.
    """
    try:
        where = registry()[name]
    except KeyError:
        raise UnknownSubject(f"no backend {name!r}; {_hint(name, registry())}") from None
    registered = EntryPoint(name, where, ENTRY_POINT_GROUP)
    try:
        backend = registered.load()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if f"{registered.module}.".startswith(f"{missing}."):
            raise UnknownSubject(
                f"backend {name!r} is registered as {where}, which isn't installed"
            ) from error
        raise MissingDriver(
            f"backend {name!r} needs the Python package {missing!r}: pip install {missing}"
        ) from error
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UnknownSubject(f"backend {name!r} ({where}) can't be loaded: {said}") from error
    if not isinstance(backend, Backend):
        raise UnknownSubject(f"backend {name!r} is registered as {where}, not a Backend")
    return backend


def resolve(spec: str) -> Subject:
    """Find the subject that `spec` names; `redis` alone means its default profile, one server.

    Raises UnknownSubject or MissingDriver.
    """
    if is_factory(spec):
        backend = backend_from(spec)
        return Subject(spec, backend, next(iter(backend.profiles.values())))
    single, at, topology = spec.partition("@")
    name, _, wanted = single.partition(":")
    backend = load(name)
    profile = wanted or next(iter(backend.profiles))
    if profile not in backend.profiles:
        raise UnknownSubject(
            f"{name} has no profile {profile!r}; {_hint(profile, backend.profiles)}"
        )
    subject = Subject(f"{name}:{profile}", backend, backend.profiles[profile])
    return _in_topology(subject, topology) if at else subject


def naive_way(subject: Subject) -> Subject | None:
    """Find the naive way of using a subject's store, in the same profile; None: there is none.

    Raises UnknownSubject, which says whose naive way it is, or MissingDriver.
    """
    whose, name = subject.backend.name, subject.backend.naive_backend
    if name is None:
        return None
    try:
        found = resolve(f"{name}:{subject.profile.name}")
    except UnknownSubject as error:
        raise UnknownSubject(f"the naive way of {whose} can't be had: {error}") from error
    if not found.backend.naive:
        raise UnknownSubject(
            f"backend {whose} names {name} as its naive way, which isn't declared as naive=True;"
            " declare it so, or leave naive_backend out"
        )
    return found


def _in_topology(subject: Subject, name: str) -> Subject:
    backend = subject.backend
    if not backend.topologies:
        raise UnknownSubject(f"{backend.name} has no topologies; leave out @{name}")
    if name not in backend.topologies:
        raise UnknownSubject(
            f"{backend.name} has no topology {name!r}; {_hint(name, backend.topologies)}"
        )
    topology = backend.topologies[name]
    if subject.profile.name not in topology.survives_failover:
        raise UnknownSubject(
            f"{subject.spec} can't be had @{name}; {backend.name}@{name} takes"
            f" {', '.join(topology.survives_failover)}"
        )
    return Subject(f"{subject.spec}@{name}", backend, topology.over(subject.profile), topology)


def _hint(wanted: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(wanted, known, n=1)
    names = ", ".join(known)
    return f"did you mean {close[0]!r}? It has: {names}" if close else f"it is one of: {names}"
