"""What there is to run, and what runs here: the rows behind `list` and `doctor`."""

from collections.abc import Mapping, Sequence
from typing import Any

import backends
import scenarios
from backends.errors import MissingDriver
from backends.store import Durability, Topology
from bench import servers
from bench.environment import Environment
from bench.machine import collect
from bench.plan import DEFAULT_SUBJECTS
from bench.record import Record, Skipped
from bench.servers.server import Found, Unavailable
from bench.spoilers import spoilers
from bench.subjects import available
from bench.workspace import made_scratch


class ServerRow(Record):
    """One way to get one kind of server."""

    kind: str
    way: str
    works: bool
    detail: str
    """Where it is, or why it isn't."""
    version: str | None = None
    mend: str | None = None
    """The command that would bring it."""


class ProfileRow(Record):
    """One profile of a backend."""

    name: str
    default: bool
    summary: str
    keeps_writes_through: Durability
    lacking: dict[str, str]


class TopologyRow(Record):
    """Several servers in place of one."""

    name: str
    summary: str
    profiles: list[str]
    """That it can be had in."""
    lacking: dict[str, dict[str, str]]
    """Profile -> the capability that it lacks so -> the reason."""
    settings: dict[str, str]
    """Over those of the profile."""


class BackendRow(Record):
    """One backend."""

    name: str
    summary: str
    profiles: list[ProfileRow]
    topologies: list[TopologyRow]
    server: str | None
    """The kind of server it needs."""
    runs_by: str | None
    """The way its server is had here, `in process`, or None: it can't run."""
    mend: str | None = None
    naive: bool = False
    """Loses races on purpose, and is nothing to be recommended."""


class ParameterRow(Record):
    """What `--set` may change."""

    meaning: str | None
    values: dict[str, Any]
    """Effort -> value."""


class ScenarioRow(Record):
    """One scenario."""

    name: str
    title: str
    summary: str
    parameters: dict[str, ParameterRow]
    """By the key for --set."""


class Health(Record):
    """What `doctor` found."""

    servers: list[ServerRow]
    backends: list[BackendRow]
    subjects: list[str]
    """Of the default comparison, those that run here."""
    missing: list[Skipped]
    """... and those that don't."""
    environment: Environment
    warnings: list[str]


def server_rows() -> list[ServerRow]:
    """Look for every kind of server, every way; nothing is started."""
    return [_server_row(answer) for kind in servers.KINDS for answer in servers.survey(kind)]


def _server_row(answer: Found | Unavailable) -> ServerRow:
    if isinstance(answer, Unavailable):
        return ServerRow(
            kind=answer.kind, way=answer.way, works=False, detail=answer.reason, mend=answer.mend
        )
    return ServerRow(
        kind=answer.kind,
        way=answer.way,
        works=True,
        detail=answer.detail,
        version=answer.version,
    )


def backend_rows(found: Sequence[ServerRow]) -> list[BackendRow]:
    """Give every registered backend, and how it runs here; a driver that isn't there is told."""
    return [_backend_row(name, found) for name in backends.registry()]


def _backend_row(name: str, found: Sequence[ServerRow]) -> BackendRow:
    try:
        backend = backends.load(name)
    except MissingDriver as error:
        reason, _, command = str(error).rpartition(": ")
        return BackendRow(
            name=name,
            summary=reason,
            profiles=[],
            topologies=[],
            server=None,
            runs_by=None,
            mend=command,
        )
    ways = [row for row in found if row.kind == backend.server]
    works = next((row.way for row in ways if row.works), None)
    mend = next((row.mend for row in ways if not row.works), None)
    return BackendRow(
        name=name,
        summary=backend.summary,
        profiles=[
            ProfileRow(
                name=profile.name,
                default=number == 0,
                summary=profile.summary,
                keeps_writes_through=profile.durability,
                lacking=dict(profile.capabilities.lacking()),
            )
            for number, profile in enumerate(backend.profiles.values())
        ],
        topologies=[_topology_row(one) for one in backend.topologies.values()],
        server=backend.server,
        runs_by=works if backend.server else "in process",
        mend=None if works or not backend.server else mend,
        naive=backend.naive,
    )


def _topology_row(topology: Topology) -> TopologyRow:
    return TopologyRow(
        name=topology.name,
        summary=topology.summary,
        profiles=list(topology.survives_failover),
        lacking={one: dict(topology.lacking(one)) for one in topology.survives_failover},
        settings={**topology.server, **topology.client},
    )


def scenario_rows() -> list[ScenarioRow]:
    """Give every scenario with its parameters per effort."""
    return [_scenario_row(name) for name in scenarios.names()]


def _scenario_row(name: str) -> ScenarioRow:
    scenario = scenarios.load(name)
    presets: Mapping[str, Mapping[str, Any]] = {
        effort.value: preset.model_dump(mode="json") for effort, preset in scenario.presets.items()
    }
    return ScenarioRow(
        name=name,
        title=scenario.title,
        summary=scenario.summary,
        parameters={
            key: ParameterRow(
                meaning=described.description,
                values={effort: values[key] for effort, values in presets.items()},
            )
            for key, described in scenario.parameters.model_fields.items()
        },
    )


def health() -> Health:
    """Look at everything that a run would need; takes a second or two, starts no server.

    Raises Missing: no place to write.
    """
    found = server_rows()
    chosen = available(DEFAULT_SUBJECTS, "auto")
    environment = collect(made_scratch())
    return Health(
        servers=found,
        backends=backend_rows(found),
        subjects=[subject.spec for subject in chosen.subjects],
        missing=list(chosen.skipped),
        environment=environment,
        warnings=list(spoilers(environment)),
    )
