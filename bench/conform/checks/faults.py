"""What an outage and a lost answer do."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from backends.errors import AnswerLost, NotSent, StoreRefused, StoreUnavailable
from backends.store import Outcome, Policy, Reason, Successor, Token
from bench.conform.caller import (
    DEVICE,
    IDLE_MS,
    Caller,
    new_digest,
)
from bench.conform.property import NotApplicable, Violation, require
from bench.conform.rig import Rig
from bench.faults.proxy import Proxy, address
from bench.servers.server import Server

REFUSES_WITHIN_SECONDS = 15.0
RECOVERS_WITHIN_SECONDS = 30.0
GRACE_MS = 60_000


def fails_closed(rig: Rig) -> str | None:
    """22: with the server gone every call raises StoreUnavailable, soon; and it comes back."""
    server = rig.own_server
    caller = rig.open()
    token = caller.login()
    server.kill()
    try:
        calls = _calls(rig, caller, token)
        # At once: a driver that waits for its server to come back does so in each call.
        with ThreadPoolExecutor(len(calls)) as pool:
            slowest = max(pool.map(_refused, *zip(*calls, strict=True)))
    finally:
        # The other properties need it.
        server.restart()
    since = time.monotonic()
    while True:
        try:
            caller.rotated(caller.login())
        except StoreUnavailable as error:
            waited = time.monotonic() - since
            require(
                waited < RECOVERS_WITHIN_SECONDS,
                f"the server has been back for {waited:.0f} s, and still: {error}",
            )
            time.sleep(0.05)
        else:
            break
    back = time.monotonic() - since
    note = f"refused within {slowest:.1f} s, back {back:.1f} s after its server"
    if rig.amount(0, 1, 1):
        note += f"; a silent server refused within {_silent(rig, server):.1f} s"
    return note


def _silent(rig: Rig, server: Server) -> float:
    """Meet a server that takes the connection and never answers, which is worse than none."""
    with _proxy(server) as proxy:
        caller = rig.open(url=proxy.reroute(server.url))
        token = caller.login()
        proxy.stall()
        seconds = _refused("rotate of a silent server", lambda: caller.rotate(token))
        proxy.flow()
        caller.store.close()
        return seconds


def _calls(rig: Rig, caller: Caller, token: Token) -> Sequence[tuple[str, Callable[[], object]]]:
    calls: list[tuple[str, Callable[[], object]]] = [
        ("rotate", lambda: caller.rotate(token)),
        ("verify", lambda: caller.verify(token)),
        ("issue", caller.login),
    ]
    if rig.subject.profile.capabilities.revokes:
        calls.append(("is_denied", lambda: caller.store.is_denied(token.digest)))
        calls.append(
            ("revoke", lambda: caller.store.revoke(token.family, Reason.LOGOUT, rig.now_ms))
        )
    return calls


def _refused(name: str, call: Callable[[], object]) -> float:
    since = time.monotonic()
    try:
        answer = call()
    except StoreUnavailable:
        seconds = time.monotonic() - since
        require(
            seconds < REFUSES_WITHIN_SECONDS,
            f"with its server gone, {name} took {seconds:.0f} s to say so",
        )
        return seconds
    except StoreRefused as error:
        raise Violation(
            f"with its server gone, {name} says that the store refused: {error}"
        ) from error
    raise Violation(f"with its server gone, {name} answered {getattr(answer, 'outcome', answer)}")


def lost_answer(rig: Rig) -> str | None:
    """24: a rotation whose answer was lost isn't theft by the store's own doing."""
    notes = []
    for policy in (Policy(), Policy(grace_ms=GRACE_MS)):
        with _proxy(rig.server) as proxy:
            caller = rig.open(policy, proxy.reroute(rig.server.url))
            said, old, proposed = _lose(caller, proxy)
            caller.store.close()
        direct = rig.open(policy)
        session = direct.held(old)
        if session.generation == 0 and session.revoked_at_ms is None:
            # It asks before it rotates, and the answer to the question was lost.
            direct.rotated(old)
            notes.append("it takes several round trips; the first one's answer was lost")
            continue
        require(
            (session.generation, session.revoked_at_ms) == (1, None),
            f"one rotation, its answer lost; the store said {said}, and stands at generation"
            f" {session.generation}, revoked for {session.revoked_reason}",
        )
        retried = direct.rotate(old)
        if policy.grace_ms:
            require(
                retried.outcome is Outcome.GRACE and retried.stands == proposed,
                f"retried inside the grace window: {retried.outcome}, {retried.stands}",
            )
            notes.append(f"with grace the retry is {retried.outcome}, the same successor")
        else:
            notes.append(f"{said}; without grace the retry is {retried.outcome}")
    return "; ".join(notes)


def _lose(caller: Caller, proxy: Proxy) -> tuple[str, Token, Successor]:
    """Lose the answer to a rotation; give what the store said, the old token, the successor."""
    for match in (True, False):
        caller.rotated(caller.login())
        token = caller.login()
        proposed = Successor(new_digest(), caller.now_ms + IDLE_MS)
        # A heartbeat may come first; a store that hides the family's name is met by any request.
        proxy.drop_next_reply(matching=token.family.id.encode() if match else b"")
        try:
            answer = caller.store.rotate(token, proposed, DEVICE, caller.now_ms)
        except AnswerLost:
            return "it says that it doesn't know", token, proposed
        except NotSent as error:
            raise Violation(
                f"says a rotation was not sent, which its server executed: {error}"
            ) from error
        except StoreRefused as error:
            raise Violation(
                f"says a rotation was refused, which its server executed: {error}"
            ) from error
        except StoreUnavailable:
            return "it says that it is unavailable", token, proposed
        if proxy.dropped:
            require(
                answer.outcome is Outcome.ROTATED,
                f"one rotation, its answer lost: the store sent it again by itself, and tells its"
                f" caller {answer.outcome}",
            )
            return "it knows its own rotation again", token, proposed
        proxy.disarm()
    raise NotApplicable("its rotation does not go through the server's own port")


def _proxy(server: Server) -> Proxy:
    return Proxy(*address(server.url))
