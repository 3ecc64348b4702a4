"""A declared lack is checked too: a store that can, but says it can't, is misjudged everywhere."""

from collections.abc import Callable, Mapping

from backends.errors import StoreUnavailable
from backends.store import Lists, Outcome, Revokes
from bench.conform import instance
from bench.conform.caller import DEVICE
from bench.conform.lanes import Call
from bench.conform.property import require
from bench.conform.rig import Rig
from bench.faults.proxy import Proxy, address


def no_revoking(rig: Rig) -> None:
    """Require that it has none of the methods, rather than some that do nothing."""
    store = rig.open().store.store
    present = [name for name in ("revoke", "revoke_subject", "deny") if hasattr(store, name)]
    require(
        not present and not isinstance(store, Revokes),
        f"declares that it can't revoke, and has {', '.join(present)}",
    )


def no_listing(rig: Rig) -> None:
    """Require that it has no `sessions`."""
    require(
        not isinstance(rig.open().store.store, Lists),
        "declares that it can't list sessions, and has sessions()",
    )


def no_reuse_detection(rig: Rig) -> None:
    """Require that it takes an old token for a good one."""
    caller = rig.open()
    old = caller.login()
    caller.rotated(old)
    answer = caller.rotate(old).outcome
    require(
        answer is Outcome.ROTATED,
        f"declares that it can't detect reuse, and answers an old token {answer}",
    )


def not_shared(rig: Rig) -> None:
    """Require that another process sees nothing of it."""
    caller = rig.open()
    token = caller.login()
    with rig.instances(1) as [other]:
        look = Call("verify", (token, DEVICE, caller.now_ms))
        [answer] = other.submit(instance.calls, [look]).result(rig.seconds)
    require(
        getattr(answer, "outcome", None) is Outcome.UNKNOWN,
        f"declares that processes don't share it, and another process answers {answer}",
    )


def sends_again(rig: Rig) -> None:
    """Require that it does send again a rotation whose answer was lost, and so meets itself."""
    with Proxy(*address(rig.server.url)) as proxy:
        caller = rig.open(url=proxy.reroute(rig.server.url))
        caller.rotated(caller.login())
        token = caller.login()
        proxy.drop_next_reply(matching=token.family.id.encode())
        try:
            answer = str(caller.rotate(token).outcome)
        except StoreUnavailable as error:
            answer = f"that it doesn't know: {error}"
        caller.store.close()
    require(
        answer == Outcome.REUSED,
        f"declares that it sends again what was not answered, and answers {answer}",
    )


ABSENT: Mapping[str, Callable[[Rig], None]] = {
    "revokes": no_revoking,
    "lists_sessions": no_listing,
    "detects_reuse": no_reuse_detection,
    "shared_by_processes": not_shared,
    "sends_once": sends_again,
}
"""Capability -> raises Violation if the store has it after all.

That what may be lost is lost can't be checked: luck may keep it.
"""
