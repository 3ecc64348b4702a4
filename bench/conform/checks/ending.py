"""Sessions end: by reuse, by logout, with their subject. And nothing brings them back."""

from dataclasses import replace

from backends.store import Outcome, Policy, Reason, Successor
from bench.conform import instance
from bench.conform.caller import DEVICE, IDLE_MS, Caller, new_digest, new_name, next_token, token_of
from bench.conform.lanes import Call
from bench.conform.property import require
from bench.conform.rig import Rig

GRACE_MS = 10_000


def reuse(rig: Rig) -> str | None:
    """7: an authentic old token is REUSED and its whole family is dead."""
    for policy in (Policy(), Policy(grace_ms=GRACE_MS)):
        for generations in (1, 2, 5):
            caller = rig.open(policy)
            tokens = [caller.login()]
            for _ in range(generations):
                tokens.append(caller.rotated(tokens[-1]))
            at_ms = caller.now_ms + policy.grace_ms
            how = f"a token {generations} generations old"
            caller.expect(tokens[0], Outcome.REUSED, how, at_ms)
            caller.expect(tokens[-1], Outcome.VALID, "verify of an old token, a pure read", at_ms)
            caller.expect_rotate(tokens[0], Outcome.REUSED, how, at_ms)
            for token in tokens:
                caller.expect_rotate(token, Outcome.REVOKED, "after reuse in the family", at_ms)
            session = caller.held(tokens[-1])
            require(
                (session.revoked_reason, session.revoked_at_ms) == (Reason.REUSE, at_ms),
                f"the family ended for {session.revoked_reason} at {session.revoked_at_ms}",
            )
    return None


def death_is_committed(rig: Rig) -> str | None:
    """8: the family stays dead for everyone, though the caller was refused."""
    caller = rig.open()
    old = caller.login()
    current = caller.rotated(old)
    caller.expect_rotate(old, Outcome.REUSED, "an old token")
    caller.expect(current, Outcome.REVOKED, "right after the reuse was answered")
    if not rig.shared:
        return None
    rig.open().expect(current, Outcome.REVOKED, "through another store after the reuse")
    with rig.instances(1) as [other]:
        look = Call("verify", (current, DEVICE, caller.now_ms))
        [answer] = other.submit(instance.calls, [look]).result(rig.seconds)
    require(
        getattr(answer, "outcome", None) is Outcome.REVOKED,
        f"another process still finds the current token {answer}",
    )
    return None


def revoke_against_rotate(rig: Rig) -> str | None:
    """9: when revoke returns, nothing of the family is alive, whoever was rotating it."""
    policy = Policy()
    for where in rig.arenas():
        caller = rig.open(policy)
        tokens = [caller.login() for _ in range(rig.amount(80, 120, 1_000))]
        proposed = [Successor(new_digest(), caller.now_ms + IDLE_MS) for _ in tokens]
        rotating = [
            Call("rotate", (token, successor, DEVICE, caller.now_ms))
            for token, successor in zip(tokens, proposed, strict=True)
        ]
        revoking = [
            Call("revoke", (token.family, Reason.LOGOUT, caller.now_ms)) for token in tokens
        ]
        rig.race(caller, [rotating, revoking], policy, where)
        for token, successor in zip(tokens, proposed, strict=True):
            for one in (token, next_token(token, successor)):
                answer = caller.verify(one).outcome
                require(
                    answer in {Outcome.REVOKED, Outcome.UNKNOWN},
                    f"after a revoke that raced a rotation ({where}), generation"
                    f" {one.generation} is {answer}",
                )
            session = caller.held(token)
            require(
                session.revoked_reason is Reason.LOGOUT, f"revoked, yet the store holds {session}"
            )
    return None


def revoke_subject_against_all(rig: Rig) -> str | None:
    """10: revoke_subject leaves alive neither what is being rotated nor what is being issued."""
    policy = Policy()
    _in_turn(rig.open(policy))
    for where in rig.arenas():
        caller = rig.open(policy)
        tokens = [caller.login() for _ in range(rig.amount(60, 100, 1_000))]
        late = [caller.session(token.family.subject) for token in tokens]
        proposed = [Successor(new_digest(), caller.now_ms + IDLE_MS) for _ in tokens]
        lanes = [
            [Call("issue", (session,)) for session in late],
            [
                Call("revoke_subject", (token.family.subject, Reason.ADMIN, caller.now_ms))
                for token in tokens
            ],
            [
                Call("rotate", (token, successor, DEVICE, caller.now_ms))
                for token, successor in zip(tokens, proposed, strict=True)
            ],
        ]
        rig.race(caller, lanes, policy, where)
        for token, successor, session in zip(tokens, proposed, late, strict=True):
            issued = caller.verify(token_of(session)).outcome
            require(
                issued is Outcome.REVOKED,
                f"a login in flight while its subject was revoked ({where}) is {issued}",
            )
            for one in (token, next_token(token, successor)):
                answer = caller.verify(one).outcome
                require(
                    answer in {Outcome.REVOKED, Outcome.UNKNOWN},
                    f"a rotation in flight while its subject was revoked ({where}): generation"
                    f" {one.generation} is {answer}",
                )
    return None


def _in_turn(caller: Caller) -> None:
    """Take the orders that a race may take, one after another."""
    subject = new_name("subject")
    spared, ended = caller.login(subject), caller.login(subject)
    now_ms = caller.now_ms
    caller.store.revoke_subject(subject, Reason.ADMIN, now_ms, spared.family.id)
    caller.expect(spared, Outcome.VALID, "the excepted session of a revoked subject")
    caller.expect(ended, Outcome.REVOKED, "a session of a revoked subject")
    for issued_ms in (now_ms - 5_000, now_ms - 1, now_ms):
        late = caller.login(subject, issued_at_ms=issued_ms)
        when = f"issued {now_ms - issued_ms} ms before its subject was revoked, arrived after it"
        caller.expect(late, Outcome.REVOKED, when)
        caller.expect_rotate(late, Outcome.REVOKED, when)
    caller.store.revoke_subject(subject, Reason.ADMIN, now_ms - 4_000)
    late = caller.login(subject, issued_at_ms=now_ms - 1)
    caller.expect(late, Outcome.REVOKED, "after an earlier revocation arrived late")
    fresh = caller.login(subject, issued_at_ms=now_ms + 1)
    caller.expect(fresh, Outcome.VALID, "issued after its subject was revoked", now_ms + 1)


def logout_is_no_theft(rig: Rig) -> str | None:
    """16: a replay after logout is REVOKED, whichever generation is replayed."""
    for policy in (Policy(), Policy(grace_ms=GRACE_MS)):
        caller = rig.open(policy)
        tokens = [caller.login()]
        for _ in range(2):
            tokens.append(caller.rotated(tokens[-1]))
        caller.store.revoke(tokens[-1].family, Reason.LOGOUT, caller.now_ms)
        for token in reversed(tokens):
            for at_ms in (caller.now_ms, caller.now_ms + 1, caller.now_ms + 2 * GRACE_MS):
                when = f"generation {token.generation} of 2, replayed after logout"
                caller.expect(token, Outcome.REVOKED, when, at_ms)
                caller.expect_rotate(token, Outcome.REVOKED, when, at_ms)
        session = caller.held(tokens[-1])
        require(
            session.revoked_reason is Reason.LOGOUT,
            f"the logout was rewritten as {session.revoked_reason}",
        )
    return None


def idempotent(rig: Rig) -> str | None:
    """18: revoking again keeps the first reason and instant; the unknown is no error."""
    caller = rig.open()
    store, now_ms = caller.store, caller.now_ms
    session = caller.session()
    store.issue(session)
    token = token_of(session)
    store.revoke(session.family, Reason.LOGOUT, now_ms)
    ended = replace(session, revoked_at_ms=now_ms, revoked_reason=Reason.LOGOUT)
    store.revoke(session.family, Reason.ADMIN, now_ms + 5)
    store.revoke_subject(session.family.subject, Reason.ADMIN, now_ms + 6)
    store.revoke_subject(session.family.subject, Reason.ADMIN, now_ms + 6)
    require(
        caller.held(token) == ended,
        f"revoked again, the session became {caller.held(token)}, not {ended}",
    )
    stranger = caller.session()
    store.revoke(stranger.family, Reason.LOGOUT, now_ms)
    store.revoke_subject(new_name("nobody"), Reason.ADMIN, now_ms)
    store.revoke_subject(new_name("nobody"), Reason.ADMIN, now_ms, new_name("family"))
    answer = caller.verify(token_of(stranger))
    require(
        answer.outcome is Outcome.UNKNOWN and answer.session is None,
        f"revoking an unknown family made one: {answer}",
    )
    return None
