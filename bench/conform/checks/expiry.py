"""Expiry is the caller's clock's business, to the millisecond."""

from backends.store import Outcome, Policy, Reason, Token
from bench.conform.caller import ABSOLUTE_MS, DAY_MS, IDLE_MS, Caller
from bench.conform.property import require
from bench.conform.rig import Rig

GRACE_MS = 10_000


def absolute_stands(rig: Rig) -> str | None:
    """13: absolute expiry never moves, idle moves by rotation alone and never passes it."""
    caller = rig.open()
    token = caller.login()
    absolute_ms = caller.now_ms + ABSOLUTE_MS
    before = caller.verify(token).session
    for at_ms in range(caller.now_ms, caller.now_ms + IDLE_MS, IDLE_MS // 10):
        caller.expect(token, Outcome.VALID, "before its idle expiry", at_ms)
    require(caller.verify(token).session == before, "verify changed the session")
    idle_ms = caller.now_ms + IDLE_MS
    caller.expect(token, Outcome.EXPIRED, "at its idle expiry, verified often before", idle_ms)

    at_ms = caller.now_ms
    for _ in range(6):
        at_ms += IDLE_MS // 2
        answer = caller.expect_rotate(token, Outcome.ROTATED, "a live session", at_ms)
        expected_ms = min(at_ms + IDLE_MS, absolute_ms)
        assert answer.stands is not None
        require(
            answer.stands.idle_expires_at_ms == expected_ms,
            f"the successor's idle expiry is {answer.stands.idle_expires_at_ms},"
            f" not {expected_ms}; the absolute expiry is {absolute_ms}",
        )
        token = answer.token
        session = caller.verify(token, at_ms).session
        if session is not None:
            found = (session.idle_expires_at_ms, session.absolute_expires_at_ms)
            require(
                found == (expected_ms, absolute_ms),
                f"after a rotation idle and absolute expiry are {found},"
                f" not {(expected_ms, absolute_ms)}",
            )
        if at_ms + IDLE_MS // 2 >= absolute_ms:
            break
    caller.expect(token, Outcome.VALID, "just before its absolute expiry", absolute_ms - 1)
    caller.expect(token, Outcome.EXPIRED, "at its absolute expiry", absolute_ms)
    caller.expect_rotate(token, Outcome.EXPIRED, "at its absolute expiry", absolute_ms)
    return None


def refused_before_deleted(rig: Rig) -> str | None:
    """14: expired is refused while it is still stored, and refusing changes nothing."""
    caller = rig.open(Policy(grace_ms=GRACE_MS))
    idle_ms = caller.now_ms + DAY_MS
    token = caller.login(idle_expires_at_ms=idle_ms)
    for late_ms in (0, 1, 1_000, 60_000, DAY_MS, 20 * DAY_MS):
        when = f"{late_ms} ms after its idle expiry, not swept yet"
        caller.expect(token, Outcome.EXPIRED, when, idle_ms + late_ms)
        caller.expect_rotate(token, Outcome.EXPIRED, when, idle_ms + late_ms)
    caller.expect(token, Outcome.VALID, "by a clock that is before the expiry", idle_ms - 1)
    can = rig.subject.profile.capabilities
    if can.revokes:
        caller.store.revoke(token.family, Reason.LOGOUT, caller.now_ms)
        caller.expect(token, Outcome.REVOKED, "logged out, then expired, still stored", idle_ms)
    if can.detects_reuse:
        old = caller.login()
        current = caller.rotated(old)
        late_ms = current.expires_at_ms
        caller.expect_rotate(old, Outcome.EXPIRED, "an old token of an expired session", late_ms)
        caller.expect(current, Outcome.VALID, "an expired replay ended the session")
    return None


def boundary(rig: Rig) -> str | None:
    """15: one millisecond before the expiry is alive, the expiry itself is not."""
    caller = rig.open()
    whole_ms = (caller.now_ms // 1_000 + 3_600) * 1_000
    for rest_ms in (0, 1, 499, 500, 501, 999):
        expires_ms = whole_ms + rest_ms
        idle = {"idle_expires_at_ms": expires_ms}
        _both_sides(caller, caller.login(None, **idle), expires_ms, "idle")
        absolute = {**idle, "absolute_expires_at_ms": expires_ms}
        token = caller.login(None, **absolute)
        _both_sides(caller, caller.rotated(token), expires_ms, "absolute")
        caller.expect_rotate(
            caller.login(None, **idle),
            Outcome.ROTATED,
            "1 ms before the idle expiry",
            expires_ms - 1,
        )
    return None


def _both_sides(caller: Caller, token: Token, expires_ms: int, which: str) -> None:
    when = f"the {which} expiry, at {expires_ms % 1_000} ms past a second"
    caller.expect(token, Outcome.VALID, f"1 ms before {when}", expires_ms - 1)
    caller.expect(token, Outcome.EXPIRED, f"exactly at {when}", expires_ms)
    caller.expect_rotate(token, Outcome.EXPIRED, f"exactly at {when}", expires_ms)
    caller.expect_rotate(token, Outcome.ROTATED, f"1 ms before {when}", expires_ms - 1)
