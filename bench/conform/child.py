"""What runs inside the checking process: the store's place and server, and one check at a time.

It is a process of its own so that a store that hangs, crashes or prints can't harm whoever asked.
"""

import os
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import backends
from backends.errors import RefreshStoreError, StoreRefused
from backends.store import Place
from bench import servers
from bench.conform.absence import ABSENT
from bench.conform.properties import BY_NUMBER
from bench.conform.property import NotApplicable, Property, Result, Status, Violation
from bench.conform.rig import Rig
from bench.conform.watched import in_flight
from bench.errors import Failed
from bench.servers.server import Found, Server
from scenarios.scenario import Effort

LATE_NOTE = "late"
"""File in which a check that runs out of time says which calls of the store it waits for."""
HUNG_SHARE = 0.1
"""Of a check's time: a call under way for less is no hang, as at any moment one is likely to be."""
STRANGE_ZONE = "Europe/Berlin"
"""Where clocks go through one hour twice; a store that uses local time is found out there."""


@dataclass
class _Ground:
    subject: backends.Subject
    place: Place
    effort: Effort
    server: Server | None
    folder: Path


_ground: list[_Ground] = []


class Start(NamedTuple):
    """What a checking process begins with."""

    spec: str
    folder: Path
    effort: Effort
    found: Found | None
    """The server that the store needs."""
    server_folder: Path
    cpus: frozenset[int]
    """Those of whoever asked: a worker is kept on one, and what it starts would share that one."""


def load(spec: str) -> None:
    """Load a store's code, open one and close it. Raises UnknownSubject, MissingDriver, Failed."""
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        try:
            backends.resolve(spec)
        except Exception:
            raise
        except BaseException as error:
            raise Failed(f"{spec} can't be opened: {_said(error)}") from error


def begin(start: Start) -> str | None:
    """Start the store's server, if it has one, and make its place ready; give what serves it.

    Raises Missing, Failed, UnknownSubject or MissingDriver; Failed too where the store fails.
    """
    _keep_quiet(start.folder / "output")
    os.sched_setaffinity(0, start.cpus)
    strange_clock()
    subject = backends.resolve(start.spec)
    directory = start.folder / "store"
    directory.mkdir()
    server = None
    if start.found is not None:
        server = servers.start(start.found, start.server_folder, subject.profile.server)
    place = Place(directory, None if server is None else server.url)
    _ground[:] = [_Ground(subject, place, start.effort, server, start.folder)]
    try:
        subject.prepare(place)
    except BaseException as error:
        raise Failed(f"{start.spec} can't make its place ready: {_said(error)}") from error
    return None if server is None else f"{server.kind} {server.version()} ({server.way})"


def strange_clock() -> None:
    """Live in a time zone that isn't UTC."""
    os.environ["TZ"] = STRANGE_ZONE
    time.tzset()


def check(number: int, seconds: float) -> Result:
    """Hold the store to one property."""
    [ground] = _ground
    wanted = BY_NUMBER[number]
    late = ground.folder / LATE_NOTE
    # A check that was late, and ended yet, may have left its own.
    late.unlink(missing_ok=True)
    watchdog = threading.Timer(seconds, note_late, [late, seconds * HUNG_SHARE])
    watchdog.daemon = True
    watchdog.start()
    since = time.monotonic()
    try:
        status, text = _judge(ground, wanted, seconds)
    finally:
        watchdog.cancel()
    return Result(
        number=number,
        status=status,
        text=" ".join(text.split()),
        seconds=round(time.monotonic() - since, 3),
    )


def end() -> None:
    """End the server."""
    [ground] = _ground
    if ground.server is not None:
        ground.server.close()


def _judge(ground: _Ground, wanted: Property, seconds: float) -> tuple[Status, str]:
    lacking = ground.subject.profile.capabilities.lacking()
    missing = [name for name in wanted.needs if name in lacking]
    rig = Rig(ground.subject, ground.place, ground.effort, ground.server, seconds)
    try:
        with rig:
            if missing:
                return Status.DECLARED, _absent(rig, missing, lacking[missing[0]])
            return Status.HELD, wanted.check(rig) or ""
    except Violation as violation:
        return Status.VIOLATED, str(violation)
    except NotApplicable as reason:
        return Status.NOT_APPLICABLE, str(reason)
    except StoreRefused as error:
        return Status.VIOLATED, f"the store refused what it must take: {error}"
    except RefreshStoreError as error:
        return Status.UNDECIDED, f"the store raised {type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - whatever it is, the suite goes on and says so
        return Status.UNDECIDED, f"the check crashed: {type(error).__name__}: {error}"


def _absent(rig: Rig, missing: Sequence[str], reason: str) -> str:
    for capability in missing:
        if capability in ABSENT:
            ABSENT[capability](rig)
    return reason


def _said(error: BaseException) -> str:
    """Give an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def note_late(path: Path, least_seconds: float) -> None:
    """Write down the calls that have been under way for so long; nothing if there are none."""
    waiting = {
        f"{method} has not returned for {seconds:.0f} s"
        for method, seconds in in_flight()
        if seconds >= least_seconds
    }
    path.write_text("; ".join(sorted(waiting)))


def _keep_quiet(path: Path) -> None:
    """Let what the store prints go to a file: it is no part of the report."""
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
