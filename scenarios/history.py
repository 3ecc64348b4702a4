"""Histories: who asked for what, when, and what came back.

Append-only JSON lines, written outside the faulted disk: an `invoke` line before the call, a
`return` line after it, so that a killed process leaves its open operations in evidence. An
operation with no return, or with the outcome `unknown`, stays open for ever: it may take effect
at any later time, or never.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TextIO

Kind = Literal["issue", "verify", "rotate", "revoke", "revoke_subject"]
"""An operation on several families, as revoke_subject is, is one event for each of them."""

Status = Literal["ok", "fail", "unknown"]
"""ok: answered. fail: known not to have been executed. unknown: sent, no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One operation, from its invocation to its return."""

    op: int
    """Unique in the history; workers share the range out."""
    instance: int
    family: str
    kind: Kind
    generation: int
    """The generation the session has if this takes effect (for revoke: the one revoked at; for
    verify: the one asked about)."""
    digest: str
    """Hex digest of the token of that generation."""
    invoke_ns: int
    """CLOCK_MONOTONIC, one clock for all processes of a host."""
    return_ns: int | None = None
    status: Status = "unknown"
    outcome: str | None = None
    """What the store answered, when it did: an `Outcome`, or the error's name."""
    presented: str = ""
    """Hex digest of the token that was shown, where the operation shows one: rotate and verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a store says of a family when it is looked at afterwards."""

    generation: int
    digest: str
    revoked: bool


class HistoryWriter:
    """Writes events as they happen; one file a worker thread, flushed line by line."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", buffering=1, encoding="utf-8")
        # A line cut short by a kill must not swallow the one that follows.
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def invoke(self, event: Event) -> None:
        """Write down that `event` is about to be sent."""
        self._file.write(json.dumps({"invoke": asdict(event)}) + "\n")

    def settle(self, op: int, return_ns: int, status: Status, outcome: str | None) -> None:
        """Write down how operation `op` ended."""
        ended = {"op": op, "return_ns": return_ns, "status": status, "outcome": outcome}
        self._file.write(json.dumps({"return": ended}) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(paths: Iterable[Path]) -> Sequence[Event]:
    """Read events back, in order of invocation; a line cut short by a kill is left out.

    Its operation was then never sent, or stays open. Raises ValueError for what no kill explains:
    an operation invoked twice, or answered and never invoked.
    """
    events: dict[int, Event] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                # No part of a JSON object is a JSON object: this one was cut.
                continue
            if invoked := record.get("invoke"):
                event = Event(**invoked)
                if events.setdefault(event.op, event) is not event:
                    raise ValueError(f"{path}: operation {event.op} was invoked twice")
            else:
                ended = record["return"]
                if ended["op"] not in events:
                    raise ValueError(f"{path}: operation {ended['op']} was never invoked")
                events[ended["op"]] = replace(events[ended["op"]], **ended)
    return sorted(events.values(), key=lambda event: event.invoke_ns)


def to_lines(events: Iterable[Event]) -> Iterable[str]:
    """Give each event as one JSON line, for the record."""
    return (json.dumps(asdict(event)) for event in events)
