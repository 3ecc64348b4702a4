"""Storms: several tabs refresh one token at the same instant, and one of them must win."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from backends.store import Outcome, Policy, RefreshStore
from bench.load.clients import Clients
from bench.load.schedule import Call
from scenarios.phases.workload import Workload

TWICE = "several winners of a storm"
NOBODY = "a storm without a winner"


class Storm(NamedTuple):
    """One storm to come; its session is nobody else's."""

    call: Call
    """What every tab sends: all propose the same successor, since it is derived from the token."""
    losers: frozenset[str]
    """Outcomes that are right for whoever comes second."""


class Reply(NamedTuple):
    """How one tab's call ended."""

    position: int
    """Of the operation, among all that were sent."""
    error: str | None
    """None: it won."""


def storms(
    store: RefreshStore,
    clients: Clients,
    workload: Workload,
    policy: Policy,
    number: int,
    now_ms: int,
) -> Sequence[Storm]:
    """Log in once for each of `number` storms, and prepare its call."""
    # Without grace the first loser ends the session, and whoever comes after finds it ended.
    theft = {Outcome.REUSED, Outcome.REVOKED}
    losers = frozenset(map(str, {Outcome.GRACE} if policy.grace_ms else theft))
    prepared = []
    for _ in range(number):
        session, held = clients.open_session(now_ms, bound=workload.devices)
        store.issue(session)
        turn = (held.token(), clients.successor(now_ms), held.device, now_ms)
        call = Call(store.rotate, turn, Outcome.ROTATED, "rotate", None, held.family)
        prepared.append(Storm(call, losers))
    return prepared


def judged(
    prepared: Sequence[Storm], replies: Iterable[tuple[int, Reply]], size: int
) -> Mapping[int, str | None]:
    """Say of each storm's operations what was wrong: position -> error, or None.

    A storm of which some tabs were never sent, or got no outcome, may lack its winner.
    """
    of_each: dict[int, list[Reply]] = defaultdict(list)
    for storm, reply in replies:
        of_each[storm].append(reply)
    verdicts: dict[int, str | None] = {}
    for storm, every in of_each.items():
        right = prepared[storm].losers
        winners = [reply for reply in every if reply.error is None]
        losers = [reply for reply in every if reply.error is not None and reply.error in right]
        verdicts |= {reply.position: None for reply in losers}
        verdicts |= {reply.position: TWICE for reply in winners[1:]}
        if not winners and len(losers) == size:
            verdicts[losers[0].position] = NOBODY
    return verdicts
