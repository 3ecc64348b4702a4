"""How a store comes back after a fault: by itself, started again, or not at all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backends.errors import RefreshStoreError
from bench.errors import Failed
from bench.faults.fault import Site
from bench.load import history_load as task
from bench.load.worker import close_store
from bench.load.workers import Worker
from bench.phases.stage import Stage
from scenarios.history import Event
from scenarios.phases.disturb import ComeBack

LONGEST_SECONDS = 30.0
"""The longest that a store that was started may take to answer."""
PATIENCE_SECONDS = 5.0
"""How long a store that still runs may take to write again by itself, once its clients are gone."""
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How and when a store came back, and the worker that can look at it."""

    how: ComeBack
    at_ns: int | None = None
    looker: Worker | None = None
    refused: str | None = None
    """What kept it from coming back."""


def start_again(site: Site, stage: Stage, inspector: Worker) -> Back:
    """Start what holds the data on what is left of it. Raises Failed: it starts, but is silent."""
    try:
        if site.server is not None:
            site.server.restart()
        stage.open(inspector)
    except (Failed, RefreshStoreError) as error:
        return Back(how="never", refused=f"did not come back: {error}")
    deadline = time.monotonic() + LONGEST_SECONDS
    while not inspector.call(task.answers):
        if time.monotonic() > deadline:
            raise Failed(f"{stage.subject.spec} did not answer {LONGEST_SECONDS:.0f} s after it")
        time.sleep(_POLL_SECONDS)
    return Back(how="restarted", at_ns=time.monotonic_ns(), looker=inspector)


def see_it_back(
    site: Site, stage: Stage, inspector: Worker, history: Sequence[Event], healed_ns: int
) -> Back:
    """See whether a store whose fault was healed writes again; if it doesn't, start it again."""
    # What processes can't share, nobody but its own process can look at.
    looker = inspector if stage.shared else site.crew[0]
    acknowledged = [
        event.return_ns
        for event in history
        if event.status == "ok" and event.return_ns and event.invoke_ns >= healed_ns
    ]
    deadline = time.monotonic() + PATIENCE_SECONDS
    opened = not stage.shared
    while time.monotonic() < deadline:
        try:
            if not opened:
                stage.open(looker)
                opened = True
            if looker.call(task.takes_writes):
                at_ns = min(acknowledged, default=time.monotonic_ns())
                return Back(how="by itself", at_ns=at_ns, looker=looker)
        except RefreshStoreError:
            opened = False
        time.sleep(_POLL_SECONDS)
    site.kill()
    if opened and stage.shared:
        inspector.call(close_store)
    if site.volume is not None:
        # A file system that met errors may have made itself read-only.
        site.volume.remount()
    return start_again(site, stage, inspector)


def read_anew(back: Back, site: Site, stage: Stage, inspector: Worker) -> Back:
    """Stop a store that came back in good order, and have it read from its disk what it has."""
    if back.how != "by itself":
        return back
    if site.server is not None:
        site.server.stop()
    else:
        for worker in site.crew:
            worker.call(close_store)
    inspector.call(close_store)
    if site.volume is not None:
        site.volume.remount()
    again = start_again(site, stage, inspector)
    return again if again.how == "never" else replace(back, looker=inspector)
