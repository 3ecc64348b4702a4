"""What a record says: the values of `run.json` and of a line of `trials.jsonl`.

Reports are made from records alone. Format history: 1, the first; 2, the plan has every trial that
may be taken, and one beyond the least says why it was.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from backends.store import Durability

FORMAT = 2


class Record(BaseModel):
    """Base of everything written down: frozen, and no field goes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SessionBound(Record):
    """The most sessions that a store is meant to hold, as it declares."""

    sessions: int
    reason: str


class SubjectFacts(Record):
    """A subject as it was at the time, so that a report needs no backend installed."""

    label: str
    """Unique in the run: the spec, or for the A/A control the spec and "(again)"."""
    spec: str
    backend: str
    title: str
    durability: Durability
    lacking: dict[str, str]
    """Capability it declares it lacks -> the reason."""
    topology: str | None = None
    """Which one it is in; None: a single server, or none."""
    control: bool = False
    """Whether this is the second half of the A/A pair."""
    naive: bool = False
    """Whether it is there to lose races, as a positive control, and is compared with nobody."""
    companion: bool = False
    """Whether it was run beside the others as a positive control that nobody had named; it is
    compared with nobody."""
    bound: SessionBound | None = None


class Skipped(Record):
    """A subject nobody asked for by name, that can't run here; or what one can't be put through."""

    spec: str
    """The subject, or the subject "in" a scenario."""
    reason: str
    mend: str


class PlannedTrial(Record):
    """One trial to come: a case of a scenario for one subject."""

    id: str
    scenario: str
    case: str
    label: str
    repeat: int
    seed: int


class TokenCost(Record):
    """What one JWT algorithm costs in this process, apart from any store."""

    algorithm: str
    mint_ns: dict[int, int]
    """Histogram (`scenarios.histogram`) of minting one refresh token."""
    parse_ns: dict[int, int]
    """Histogram of checking and parsing one."""
    token_bytes: int


class Run(Record):
    """`run.json`."""

    format: Literal[1, 2] = 2
    started_at: datetime
    """UTC, by the wall clock."""
    seed: int
    effort: str
    options: dict[str, Any]
    """As given on the command line."""
    parameters: dict[str, dict[str, Any]]
    """Scenario -> its parameters, after effort and --set."""
    subjects: list[SubjectFacts]
    skipped: list[Skipped]
    plan: list[PlannedTrial]
    """In the order of execution: shuffled from the seed. Those beyond a scenario's `trials` are
    taken only while its figures are not known closely enough, or where nothing was lost yet."""
    environment: dict[str, Any]
    tokens: list[TokenCost]


class ServerFacts(Record):
    """The server a trial ran on, as it said of itself."""

    kind: str
    way: str
    version: str


class WorkerFacts(Record):
    """A worker of a trial: where it ran, and how far its clock was from the runner's."""

    host: int
    """0 is the runner's own; others are counted as they are met, since no host's name is kept."""
    clock_offset_ns: int
    """By how much its CLOCK_MONOTONIC was ahead of the runner's, as measured."""
    clock_error_ns: int
    """Half of the quickest round trip: the offset is not known better."""
    same_clock: bool
    """It is one clock with the runner's, so that instants need no translation."""


class Trial(Record):
    """One line of `trials.jsonl`."""

    id: str
    scenario: str
    case: str
    label: str
    repeat: int
    started_at: datetime
    seconds: float
    because: str | None = None
    """Why it was taken, where it is beyond the least number: the figure known least closely, or
    that nothing was lost yet."""
    status: Literal["ok", "failed"]
    error: str | None = None
    """One line, when it failed."""
    server: ServerFacts | None = None
    settings: dict[str, str] = {}
    """Durability settings read back before measuring; of a topology, also how its members act as
    one."""
    workers: list[WorkerFacts] = []
    """Those that load was measured on; empty in records of before it was kept."""
    findings: dict[str, Any] = {}
    """What the scenario's judge found; validated by its `findings` model."""
