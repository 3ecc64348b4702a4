"""Watching a token through a replica while it is revoked at the primary.

Runs inside two worker processes, whose stores are open on the primary and on a replica.
"""

import time
from typing import NamedTuple

from backends.errors import RefreshStoreError
from backends.store import Outcome, Reason, Revokes
from bench.load.clients import Held
from bench.load.worker import now_ms, state

LEAD_SECONDS = 0.002
"""The watcher is at work for so long before the revocation comes."""


class Seen(NamedTuple):
    """What the watcher saw of one token, CLOCK_MONOTONIC."""

    accepted_at_ns: int
    """When the last verify began that accepted it."""
    refused_at_ns: int | None
    """When the first one began that refused it; None: it went on to be good."""


def sees(held: Held) -> bool:
    """Whether the session is there and good."""
    outcome = state().store.verify(held.token(), held.device, now_ms()).outcome
    return outcome is Outcome.VALID


def revoke(held: Held) -> int | None:
    """Log a session out; gives the instant of the acknowledgement, None if there was none."""
    store = state().store
    assert isinstance(store, Revokes), store
    time.sleep(LEAD_SECONDS)
    try:
        store.revoke(held.family, Reason.LOGOUT, now_ms())
    except RefreshStoreError:
        return None
    return time.monotonic_ns()


def watch(held: Held, seconds: float) -> Seen:
    """Verify again and again until the token is refused, for at most `seconds`."""
    store, token = state().store, held.token()
    deadline_ns = time.monotonic_ns() + int(seconds * 1e9)
    accepted_at_ns = 0
    while (now_ns := time.monotonic_ns()) < deadline_ns:
        if store.verify(token, held.device, now_ms()).outcome is not Outcome.VALID:
            return Seen(accepted_at_ns, now_ns)
        accepted_at_ns = now_ns
    return Seen(accepted_at_ns, None)
