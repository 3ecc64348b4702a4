"""The life of a session as pure functions: the one place that defines what each outcome means.

Stores that hold sessions in Python call these; a store whose server decides (Lua, SQL, a Mongo
pipeline) restates `judge` there, and the contract holds both to the same answers.
"""

from dataclasses import replace

from backends.store import Outcome, Policy, Reason, Rotation, Session, Successor, Token


def judge(session: Session | None, token: Token, device: str, now_ms: int) -> Outcome:
    """Say what `token` is to `session`. The order of the questions is part of the semantics.

    Ended before expired: a replay after logout is told REVOKED while the row stands. Reuse before
    device: an authentic old token proves theft whoever holds it. A digest that this session never
    had changes nothing, since its bearer can't be told from a guesser.
    """
    if session is None or token.generation > session.generation:
        return Outcome.UNKNOWN
    current = token.generation == session.generation
    if current and token.digest != session.digest:
        return Outcome.UNKNOWN
    predecessor = token.generation == session.generation - 1
    if predecessor and token.digest != session.predecessor_digest:
        return Outcome.UNKNOWN
    if session.revoked_at_ms is not None:
        return Outcome.REVOKED
    if now_ms >= min(session.idle_expires_at_ms, session.absolute_expires_at_ms):
        return Outcome.EXPIRED
    in_grace = predecessor and now_ms < session.grace_until_ms
    if not current and not in_grace:
        return Outcome.REUSED
    if device != session.device:
        return Outcome.DEVICE_MISMATCH
    return Outcome.VALID if current else Outcome.GRACE


def rotated(session: Session, successor: Successor, policy: Policy, now_ms: int) -> Session:
    """Give the session after `successor` took over from its current token."""
    return replace(
        session,
        generation=session.generation + 1,
        digest=successor.digest,
        predecessor_digest=session.digest,
        idle_expires_at_ms=min(successor.idle_expires_at_ms, session.absolute_expires_at_ms),
        rotated_at_ms=now_ms,
        grace_until_ms=now_ms + policy.grace_ms if policy.grace_ms else 0,
    )


def revoked(session: Session, reason: Reason, now_ms: int) -> Session:
    """Give the session ended for `reason`; the first reason and instant stand."""
    if session.revoked_at_ms is not None:
        return session
    return replace(session, revoked_at_ms=now_ms, revoked_reason=reason)


def after_rotate(
    session: Session, token: Token, successor: Successor, device: str, policy: Policy, now_ms: int
) -> tuple[Outcome, Session]:
    """Decide a rotation: what to answer, and the session to commit (the same one if unchanged)."""
    match judge(session, token, device, now_ms):
        case Outcome.VALID:
            return Outcome.ROTATED, rotated(session, successor, policy, now_ms)
        case Outcome.REUSED:
            return Outcome.REUSED, revoked(session, Reason.REUSE, now_ms)
        case Outcome.DEVICE_MISMATCH if policy.revoke_on_device_mismatch:
            return Outcome.DEVICE_MISMATCH, revoked(session, Reason.DEVICE, now_ms)
        case outcome:
            return outcome, session


def answer(outcome: Outcome, after: Session) -> Rotation:
    """Give what `rotate` answers: with the token that stands now, for whom it let in."""
    if outcome in (Outcome.ROTATED, Outcome.GRACE):
        return Rotation(outcome, Successor(after.digest, after.idle_expires_at_ms))
    return Rotation(outcome)
