"""A run as it might have been recorded, for tests of analysis and reports: no server, no clock.

Figures are drawn from a seed and shaped after what design and claims lead one to expect, so that
pictures made from them look like the real ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from backends.store import Durability
from bench.record import PlannedTrial, Run, ServerFacts, Skipped, SubjectFacts, TokenCost, Trial
from bench.run_folder import RunFolder
from scenarios.consistency import ConsistencyFindings, Races, Visibility
from scenarios.cost import NETWORK, Cost
from scenarios.durability import DurabilityFindings
from scenarios.histogram import histogram
from scenarios.latency import MIXES, Cell, LatencyFindings, OperationSamples

STARTED_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
CONNECTIONS = (1, 8, 32)
CORES = 2


@dataclass(frozen=True)
class Shape:
    """How a subject of the synthetic run behaves."""

    spec: str
    durability: Durability
    rotate_us: float
    """Service time of a rotation."""
    server_us: float | None = None
    """Server CPU an operation."""
    client_us: float = 12.0
    fsync: bool = False
    lost_on_crash: float = 0.0
    """Share of the acknowledged writes."""
    lost_on_restart: float = 0.0
    winners: Callable[[int], int] = lambda _instances: 1
    sees: float = 1.0
    lacking: Mapping[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def backend(self) -> str:
        where, _, name = self.spec.rpartition(":")
        return name if where.endswith(".py") else self.spec.partition(":")[0]


GONE = dict.fromkeys(
    ("survives_restart", "survives_crash", "survives_power_cut"), "it is gone with the process"
)
APART = {
    "shared_by_processes": "each process has its own",
    "shared_by_hosts": "each process has its own",
}
POWER, CRASH, RESTART = Durability.POWER_CUT, Durability.CRASH, Durability.RESTART
CUT = {"survives_power_cut": "what was not yet synced is lost"}
LOSES = {"survives_crash": "the last moments before a kill are lost", **CUT}

SHAPES = (
    Shape(
        "memory:process",
        Durability.NONE,
        3,
        client_us=4,
        lost_on_crash=1,
        lost_on_restart=1,
        sees=0,
        lacking={**GONE, **APART, "native_ttl": "the application sweeps"},
    ),
    Shape("files:fsync", POWER, 900, client_us=90, fsync=True, lacking={"native_ttl": "no clock"}),
    Shape("files:nofsync", CRASH, 110, client_us=85, lacking={**CUT, "native_ttl": "no clock"}),
    Shape("sqlite:wal-full", POWER, 350, client_us=60, fsync=True),
    Shape(
        "cookie:signed",
        Durability.CLIENT,
        1,
        client_us=3,
        winners=lambda instances: instances,
        lacking={
            "revokes": "the server keeps nothing to mark",
            "detects_reuse": "an old token looks like a new one",
            "lists_sessions": "the server keeps nothing",
        },
    ),
    Shape("postgres:sync", POWER, 420, server_us=48, client_us=40, fsync=True),
    Shape(
        "postgres:async", RESTART, 95, server_us=41, client_us=39, lost_on_crash=0.03, lacking=LOSES
    ),
    Shape("postgres-sqlalchemy:sync", POWER, 510, server_us=50, client_us=95, fsync=True),
    Shape(
        "redis:none",
        Durability.NONE,
        34,
        11,
        22,
        lost_on_crash=1,
        lost_on_restart=1,
        lacking=GONE,
    ),
    Shape("redis:aof-everysec", RESTART, 41, 16, 22, lacking=LOSES),
    Shape("redis:aof-always", POWER, 300, 19, 22, fsync=True),
    Shape("mongo:w1", RESTART, 160, 80, 75, lost_on_crash=0.004, lacking=LOSES),
    Shape("mongo:journaled", POWER, 600, 90, 75, fsync=True),
    Shape(
        "examples/racy_store.py:<script>make",
        Durability.NONE,
        60,
        client_us=20,
        winners=lambda instances: max(2, instances - 1),
        title="<script>alert('우리 저장소')</script> $x_2$ 😀",
        lacking=GONE,
    ),
)
VERSIONS = {"redis": "8.2.3", "postgres": "18.6", "mongo": "6.0.5"}


def subjects(shapes: Sequence[Shape] = SHAPES) -> list[SubjectFacts]:
    """Give the subjects, and the second half of an A/A pair of the first one that has a server."""
    facts = [
        SubjectFacts(
            label=shape.spec,
            spec=shape.spec,
            backend=shape.backend,
            title=shape.title or shape.backend.capitalize(),
            durability=shape.durability,
            lacking=dict(shape.lacking),
        )
        for shape in shapes
    ]
    first = next((f for f in facts if f.spec.startswith("redis")), facts[0])
    again = {"label": f"{first.spec} (again)", "control": True}
    return [*facts, first.model_copy(update=again)]


def trial(label: str, scenario: str, case: str, repeat: int, findings: BaseModel) -> Trial:
    """Write one finished trial down."""
    kind = label.partition(":")[0].removesuffix("-sqlalchemy")
    server = None
    if kind in VERSIONS:
        server = ServerFacts(kind=kind, way="wheel", version=VERSIONS[kind])
    return Trial(
        id=f"{scenario}/{case}/{label}/{repeat}",
        scenario=scenario,
        case=case,
        label=label,
        repeat=repeat,
        started_at=STARTED_AT + timedelta(seconds=repeat),
        seconds=2.5,
        status="ok",
        server=server,
        settings={"appendfsync": label.rpartition("-")[2]} if kind == "redis" else {},
        findings=findings.model_dump(mode="json"),
    )


def samples(values_us: Sequence[float]) -> OperationSamples:
    """Give one operation's samples, from latencies in µs."""
    values_ns = (np.asarray(values_us) * 1e3).astype(np.int64)
    return OperationSamples(
        latency_ns=histogram(values_ns),
        minimum_ns=int(values_ns.min()),
        maximum_ns=int(values_ns.max()),
        errors={},
    )


def cell(
    workload: str, connections: int, operations: Mapping[str, OperationSamples], **other: Any
) -> Cell:
    """Give one cell; by default one idle client process and a server, for 0.1 s."""
    plain = {
        "elapsed_ns": 100_000_000,
        "processes": 1,
        "client_cpu_ns": 10_000_000,
        "client_rss_bytes": 50_000_000,
        "server_cpu_ns": 20_000_000,
        "server_rss_bytes": 30_000_000,
        "exhausted": False,
    }
    return Cell(
        workload=workload,
        connections=connections,
        operations=dict(operations),
        **{**plain, **other},
    )


def _latency(shape: Shape, rng: np.random.Generator) -> LatencyFindings:
    drift = rng.lognormal(0, 0.03)
    cells = []
    for connections in CONNECTIONS:
        for workload, mix in MIXES.items():
            if "revokes" in shape.lacking and "revoke" in mix:
                continue
            cells.append(_cell(shape, workload, connections, drift, rng))
    return LatencyFindings(cells=cells)


def _cell(
    shape: Shape, workload: str, connections: int, drift: float, rng: np.random.Generator
) -> Cell:
    # Reads don't sync; writes that do are gathered into groups when several wait.
    service = shape.rotate_us * drift
    if workload == "verify":
        service = (25 if shape.server_us else 4) * drift
    together = min(connections, 4) if shape.fsync else 1
    work_us = max(service / together, shape.client_us)
    per_op = max(work_us * connections / min(connections, CORES), service)
    rate = connections / per_op * 1e6
    elapsed_ns = 120_000_000
    done = max(int(rate * elapsed_ns / 1e9), 1)
    share = {
        operation: weight / sum(MIXES[workload].values())
        for operation, weight in MIXES[workload].items()
    }
    operations: dict[str, OperationSamples] = {}
    for operation, part in share.items():
        drawn = max(min(int(done * part), 2_500), 1)
        tail = rng.random(drawn) < 0.025
        values = per_op * rng.lognormal(0, 0.18, drawn) * np.where(tail, 4.5, 1)
        operations[operation] = samples(values.tolist())
    completed = sum(sum(one.latency_ns.values()) for one in operations.values())
    elapsed_ns = int(completed / rate * 1e9)
    processes = min(connections, CORES)
    return cell(
        workload,
        connections,
        operations,
        elapsed_ns=elapsed_ns,
        processes=processes,
        client_cpu_ns=int(min(completed * shape.client_us * 1e3, elapsed_ns * processes * 0.97)),
        client_rss_bytes=61_000_000,
        server_cpu_ns=None if shape.server_us is None else int(completed * shape.server_us * 1e3),
        server_rss_bytes=None if shape.server_us is None else 42_000_000,
        cost=_cost(shape, 0 if workload == "verify" else completed, together),
    )


def _cost(shape: Shape, writes: int, together: int) -> Cost:
    inside = shape.server_us is None
    return Cost(
        written_bytes=writes * (4_096 if shape.fsync else 300),
        fsyncs=writes // together if shape.fsync else 0,
        sent_bytes=None if inside else writes * 300,
        received_bytes=None if inside else writes * 60,
        missing=dict.fromkeys(NETWORK, "its clients hold no TCP connection") if inside else {},
    )


def lost(fault: str, acknowledged: int, share: float, rng: np.random.Generator) -> BaseModel:
    """Give a fault's findings in which `share` of the acknowledged writes are lost."""
    gone = round(acknowledged * share)
    everything = share >= 1
    return DurabilityFindings(
        fault=fault,
        acknowledged_issues=acknowledged // 5,
        acknowledged_rotations=acknowledged - acknowledged // 5 - acknowledged // 10,
        acknowledged_revocations=acknowledged // 10,
        lost_sessions=acknowledged // 5 if everything else gone // 5,
        resurrected_rotated=0 if everything else gone * 7 // 10,
        resurrected_revoked=0 if everything else gone // 10,
        lost_writes=gone,
        loss_window_ns=int(800_000_000 * share),
        loss_is_suffix=True,
        recovered_unknown=int(rng.integers(0, 3)),
        phantoms=0,
        unanswered=8,
        recovery_ns=int(rng.integers(150_000_000, 600_000_000)),
        integrity=None,
    )


def races(shape: Shape, rng: np.random.Generator) -> ConsistencyFindings:
    visibility, races = [], []
    for instances in (2, 4, 8):
        looks = 30 * (instances - 1)
        for act in ("issue", "revoke", "rotate"):
            if act == "revoke" and "revokes" in shape.lacking:
                continue
            visibility.append(
                Visibility(
                    act=act,
                    instances=instances,
                    looks=looks,
                    seen=round(looks * shape.sees),
                    largest_delay_ns=int(rng.integers(90_000, 900_000)),
                )
            )
        contested = int(rng.integers(88, 101))
        won = shape.winners(instances)
        several = contested if won == instances else contested // 3
        winners = {1: contested} if won == 1 else {1: contested - several, won: several}
        races.append(
            Races(
                instances=instances,
                rounds=100,
                contested=contested,
                winners={won: rounds for won, rounds in winners.items() if rounds},
                outcomes={"rotated": 100, "reused": 100 * (instances - 1)},
            )
        )
    return ConsistencyFindings(visibility=visibility, races=races, errors={})


def tokens(rng: np.random.Generator) -> list[TokenCost]:
    """Give the cost of tokens by four algorithms."""
    medians_us = {"HS256": (14, 17), "ES256": (60, 110), "EdDSA": (55, 130), "RS256": (900, 45)}
    return [
        TokenCost(
            algorithm=algorithm,
            mint_ns=samples((mint * rng.lognormal(0, 0.1, 500)).tolist()).latency_ns,
            parse_ns=samples((parse * rng.lognormal(0, 0.1, 500)).tolist()).latency_ns,
            token_bytes=256 if algorithm == "HS256" else 420,
        )
        for algorithm, (mint, parse) in medians_us.items()
    ]


def run_of(facts: Sequence[SubjectFacts], trials: Sequence[Trial], **other: Any) -> Run:
    """Give the `run.json` that would have led to these trials."""
    plain: dict[str, Any] = {
        "started_at": STARTED_AT,
        "seed": 20260314,
        "effort": "quick",
        "options": {"effort": "quick", "subjects": [], "set": []},
        "parameters": {
            name: {"trials": 5} for name in dict.fromkeys(trial.scenario for trial in trials)
        },
        "subjects": list(facts),
        "skipped": [],
        "plan": [
            PlannedTrial(seed=number, **{k: getattr(one, k) for k in _PLANNED})
            for number, one in enumerate(trials)
        ],
        "environment": {
            "cpu": {"model": "Example CPU @ 2.60GHz", "cores": CORES},
            "kernel": "Linux 6.1.0",
            "python": "3.11.2",
        },
        "tokens": [],
    }
    return Run(**{**plain, **other})


_PLANNED = ("id", "scenario", "case", "label", "repeat")


def example(
    scenarios: Sequence[str] = ("latency", "durability", "consistency"),
) -> tuple[Run, list[Trial]]:
    """Give a run and its trials: every default subject, a failed trial, a skipped subject."""
    rng = np.random.default_rng(7)
    shapes = {shape.spec: shape for shape in SHAPES}
    facts = subjects()
    trials: list[Trial] = []
    for fact in facts:
        shape = shapes[fact.spec]
        if "latency" in scenarios:
            trials += [
                trial(fact.label, "latency", "closed-loop", repeat, _latency(shape, rng))
                for repeat in range(5)
            ]
        if fact.control:
            continue
        if "durability" in scenarios:
            shares = {"restart": shape.lost_on_restart, "crash": shape.lost_on_crash}
            trials += [
                trial(fact.label, "durability", fault, 0, lost(fault, 801, share, rng))
                for fault, share in shares.items()
            ]
        if "consistency" in scenarios:
            trials.append(trial(fact.label, "consistency", "instances", 0, races(shape, rng)))
    number = next((i for i, one in enumerate(trials) if one.label == "mongo:w1"), None)
    if number is not None:
        died = {"status": "failed", "findings": {}, "error": "mongod died: no space left"}
        trials[number] = trials[number].model_copy(update=died)
    run = run_of(
        facts,
        trials,
        skipped=[
            Skipped(
                spec="mongo:majority",
                reason="a replica set needs a mongod that starts with --replSet",
                mend="pip install 'refreshbench[servers]'",
            )
        ],
        tokens=tokens(rng),
    )
    return run, trials


def write(path: Path, run: Run, trials: Sequence[Trial]) -> RunFolder:
    """Put a run on disk as the runner does."""
    folder = RunFolder.create(path, run)
    for one in trials:
        folder.append(one)
    return folder
