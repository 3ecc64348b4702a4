"""Sessions come back as they went in, and nothing but their own token moves them."""

from contextlib import suppress
from dataclasses import fields, replace

from backends.errors import StoreRefused
from backends.store import Outcome, Policy, Reason, Session, Successor, Token
from bench.conform.caller import DEVICE, OTHER_DEVICE, Caller, new_digest, new_name, token_of
from bench.conform.property import Violation, require
from bench.conform.rig import Rig

GRACE_MS = 10_000


def round_trip(rig: Rig) -> str | None:
    """1: every field comes back, after issue, after rotate and after revoke."""
    caller = rig.open(Policy(grace_ms=GRACE_MS))
    issued = caller.session(
        client="client-é/日本", idle_expires_at_ms=caller.now_ms + 86_400_123, generation=0
    )
    caller.store.issue(issued)
    token = token_of(issued)
    answer = caller.verify(token)
    require(answer.outcome is Outcome.VALID, f"a fresh token was answered {answer.outcome}")
    if rig.subject.profile.held_by_client:
        require(answer.session is None, "shows a session that it says only the client has")
        caller.rotated(token)
        return "the client holds the session; its token is judged VALID and rotates"
    _same(answer.session, issued, "after issue")

    at_ms = caller.now_ms + 7
    proposed = Successor(new_digest(), at_ms + 86_400_000)
    answered = caller.store.rotate(token, proposed, DEVICE, at_ms)
    require(answered.outcome is Outcome.ROTATED, f"a good token was answered {answered.outcome}")
    require(answered.successor == proposed, f"{proposed} stands as {answered.successor}")
    after = replace(
        issued,
        generation=1,
        digest=proposed.digest,
        predecessor_digest=issued.digest,
        idle_expires_at_ms=proposed.idle_expires_at_ms,
        rotated_at_ms=at_ms,
        grace_until_ms=at_ms + GRACE_MS,
    )
    _same(caller.verify(token_of(after)).session, after, "after rotate")
    _no_overwriting(caller, after, issued)
    if rig.subject.profile.capabilities.revokes:
        for reason in Reason:
            _revoked(caller, reason)
    if rig.subject.profile.capabilities.lists_sessions:
        [listed] = caller.store.sessions(issued.family.subject)
        _same(listed, after, "in the subject's list")
    return None


def _no_overwriting(caller: Caller, stands: Session, first: Session) -> None:
    # To refuse, and to leave what stands without a word, are both right.
    with suppress(StoreRefused):
        caller.store.issue(replace(first, digest=new_digest(), client="overwritten"))
    _same(caller.held(token_of(stands)), stands, "after a second issue of the same family")


def _revoked(caller: Caller, reason: Reason) -> None:
    session = caller.session()
    caller.store.issue(session)
    caller.store.revoke(session.family, reason, caller.now_ms + 3)
    ended = replace(session, revoked_at_ms=caller.now_ms + 3, revoked_reason=reason)
    _same(caller.verify(token_of(session)).session, ended, f"after revoke for {reason}")


def _same(found: Session | None, expected: Session, when: str) -> None:
    require(found is not None, f"{when}: verify shows no session")
    for field in fields(expected):
        got, wanted = getattr(found, field.name), getattr(expected, field.name)
        require(
            got == wanted and isinstance(got, type(wanted)),
            f"{when}: {field.name} is {got!r}, not {wanted!r}",
        )


def forged(rig: Rig) -> str | None:
    """11: a token that the session never had is UNKNOWN and leaves the session as it was."""
    for policy in (Policy(), Policy(grace_ms=GRACE_MS)):
        caller = rig.open(policy)
        first = caller.login()
        second = caller.rotated(first)
        before = caller.held(second)
        for what, token in {
            "the current generation with another digest": second._replace(digest=new_digest()),
            "the predecessor's generation with another digest": first._replace(digest=new_digest()),
            "a generation to come": second._replace(generation=2, digest=new_digest()),
            "a generation to come with the current digest": second._replace(generation=9),
            "an empty digest": second._replace(digest=b""),
        }.items():
            caller.expect(token, Outcome.UNKNOWN, f"forged, {what}")
            caller.expect_rotate(token, Outcome.UNKNOWN, f"forged, {what}")
            require(caller.held(second) == before, f"a forged token ({what}) changed the session")
        caller.rotated(second)
    stranger = token_of(caller.session())
    caller.expect(stranger, Outcome.UNKNOWN, "a family that was never issued")
    caller.expect_rotate(stranger, Outcome.UNKNOWN, "a family that was never issued")
    require(
        caller.verify(stranger).session is None, "rotating an unknown family brought it to life"
    )
    return None


def device(rig: Rig) -> str | None:
    """12: the wrong device is told so, and the session stays, unless the policy says revoke."""
    caller = rig.open()
    token = caller.login()
    before = caller.verify(token).session
    caller.expect(token, Outcome.DEVICE_MISMATCH, "from another device", device=OTHER_DEVICE)
    caller.expect_rotate(token, Outcome.DEVICE_MISMATCH, "from another device", device=OTHER_DEVICE)
    caller.expect_rotate(token, Outcome.DEVICE_MISMATCH, "from no device", device="")
    require(caller.verify(token).session == before, "a device mismatch changed the session")
    caller.rotated(token)
    if not rig.subject.profile.capabilities.revokes:
        return "the policy of revoking does not apply: it declares that it can't revoke"

    strict = rig.open(Policy(revoke_on_device_mismatch=True))
    token = strict.login()
    strict.expect(token, Outcome.DEVICE_MISMATCH, "from another device", device=OTHER_DEVICE)
    strict.expect(token, Outcome.VALID, "after verify from another device, a pure read")
    strict.expect_rotate(token, Outcome.DEVICE_MISMATCH, "from another device", device=OTHER_DEVICE)
    strict.expect(token, Outcome.REVOKED, "after a mismatch that the policy punishes")
    reason = strict.held(token).revoked_reason
    require(reason is Reason.DEVICE, f"the session ended for {reason}, not for its device")
    strict.expect_rotate(token, Outcome.REVOKED, "after a mismatch that the policy punishes")
    return None


def neighbours(rig: Rig) -> str | None:
    """17: ending one session or subject leaves every other as it was."""
    caller = rig.open()
    names = ["al", "alice", "alice2", "alice:2", "Alice", "a%", "a_ice", "a*", "bob"]
    can = rig.subject.profile.capabilities
    for victim in names:
        unique = new_name("")
        tokens = {name: caller.login(f"{unique}{name}") for name in names}
        sibling = caller.login(tokens[victim].family.subject)
        others = {**tokens, "a sibling": sibling}
        old = others.pop(victim)
        caller.rotated(old)
        caller.expect_rotate(old, Outcome.REUSED, "an old token")
        _all_alive(caller, others, f"after reuse in a session of {victim!r}")
        if can.revokes:
            caller.store.revoke(old.family, Reason.LOGOUT, caller.now_ms)
            _all_alive(caller, others, f"after revoke of a session of {victim!r}")
            caller.store.revoke_subject(old.family.subject, Reason.ADMIN, caller.now_ms)
            caller.expect(others.pop("a sibling"), Outcome.REVOKED, "after revoke_subject")
            _all_alive(caller, others, f"after revoke_subject of {victim!r}")
    return None


def _all_alive(caller: Caller, tokens: dict[str, Token], when: str) -> None:
    for whose, token in tokens.items():
        answer = caller.verify(token).outcome
        if answer is not Outcome.VALID:
            raise Violation(f"{when}, the session of {whose!r} is {answer}")
