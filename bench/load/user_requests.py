"""What one app instance does for a user whom the balancer sent to it.

Runs inside a worker process, whose store `bench.load.worker` has opened. The user carries the
token from one instance to the next.
"""

from backends.store import Outcome
from bench.load.clients import Held
from bench.load.move import issue, make, revoke, rotate, verify
from bench.load.worker import now_ms, state
from scenarios.history import Event


def log_in(instance: int, op: int) -> tuple[Held | None, Event]:
    """Open a session here; None: there is none to be held."""
    session, held = state().clients.open_session(now_ms())
    [event] = make(issue(session, held), instance, op)
    return (held if event.status == "ok" else None), event


def refresh(held: Held, instance: int, op: int) -> tuple[Held | None, Event]:
    """Rotate the user's token; None: it was refused, and the user holds nothing any more."""
    successor = state().clients.successor(now_ms())
    [event] = make(rotate(held, successor), instance, op)
    if event.status != "ok":
        return held, event
    return (held.after(successor) if event.outcome == Outcome.ROTATED else None), event


def log_out(held: Held, instance: int, op: int) -> Event:
    """End the user's session."""
    [event] = make(revoke(held), instance, op)
    return event


def show(held: Held, instance: int, op: int) -> Event:
    """Ask whether the user's token is good."""
    [event] = make(verify(held), instance, op)
    return event
