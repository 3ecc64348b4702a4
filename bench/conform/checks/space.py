"""What may be forgotten, what must not be, and what is never let go."""

import time
from collections.abc import Sequence

from backends.store import Outcome, Reason, Token
from bench.conform import stored
from bench.conform.caller import ABSOLUTE_MS, DAY_MS, Caller, new_digest, new_name
from bench.conform.property import NotApplicable, Violation, require
from bench.conform.rig import Rig

LIMIT = 10
EXPIRED = 25
SOON_MS = 1_000
FAR_MS = 4 * ABSOLUTE_MS
AT_ONCE = 1_000


def sweep(rig: Rig) -> str | None:
    """20: sweep is bounded, takes only what has expired, and leaves nothing of it behind."""
    caller = rig.open()
    if not caller.store.sweeps:
        return _native(rig, caller)
    subject = new_name("subject")
    _drain(caller, caller.now_ms + SOON_MS, AT_ONCE)
    soon = {"idle_expires_at_ms": caller.now_ms + SOON_MS}
    expired = [caller.login(subject, **soon) for _ in range(EXPIRED)]
    live = caller.login(subject)
    barely = caller.login(subject, idle_expires_at_ms=caller.now_ms + SOON_MS + 1)
    ended = caller.login(subject)
    caller.store.revoke(ended.family, Reason.LOGOUT, caller.now_ms)
    old = caller.login(subject, **soon)
    current = caller.rotated(old)
    caller.store.revoke_subject(other := new_name("other"), Reason.ADMIN, caller.now_ms)

    at_ms = caller.now_ms + SOON_MS
    removed = caller.store.sweep(at_ms, LIMIT)
    gone = sum(caller.verify(token).session is None for token in expired)
    require(
        gone <= LIMIT and removed <= LIMIT,
        f"sweep with limit {LIMIT} removed {gone} sessions and says {removed}",
    )
    require(removed == gone, f"sweep says it removed {removed} sessions; {gone} are gone")
    removed += _drain(caller, at_ms, LIMIT)
    require(removed == EXPIRED, f"sweep removed {removed} sessions; {EXPIRED} had expired")

    caller.expect(live, Outcome.VALID, "a live session after sweep")
    caller.expect(barely, Outcome.VALID, "a session that expires 1 ms after the sweep")
    caller.expect(ended, Outcome.REVOKED, "a logged-out session, not expired, after sweep")
    caller.expect(current, Outcome.VALID, "a rotated session after sweep", at_ms)
    caller.expect_rotate(
        old,
        Outcome.REUSED,
        "an old token past its own expiry, its session alive, after sweep",
        at_ms,
    )
    caller.expect(current, Outcome.REVOKED, "after reuse of a token past its own expiry", at_ms)
    late = caller.login(other, issued_at_ms=caller.now_ms - 1)
    caller.expect(
        late, Outcome.REVOKED, "issued before its subject was revoked, arrived after sweep"
    )
    if rig.subject.profile.capabilities.lists_sessions:
        listed = len(caller.store.sessions(subject))
        require(listed == 4, f"the subject has {listed} sessions in its list; 4 are stored")  # noqa: PLR2004
    return _leaves_nothing(rig, caller)


def _leaves_nothing(rig: Rig, caller: Caller) -> str | None:
    far_ms = caller.now_ms + FAR_MS
    _drain(caller, far_ms, AT_ONCE)

    def count() -> int:
        return stored.records(rig.subject.backend.server, rig.place, caller.store.store)

    before = count()
    for _ in range(EXPIRED):
        subject = new_name("subject")
        caller.rotated(caller.login(subject))
        caller.store.revoke(caller.login(subject).family, Reason.LOGOUT, caller.now_ms)
        caller.store.deny(new_digest(), caller.now_ms + DAY_MS)
        caller.store.revoke_subject(new_name("subject"), Reason.ADMIN, caller.now_ms)
    full = count()
    if full <= before:
        return "what it leaves behind can't be seen from here, the rest can"
    _drain(caller, far_ms, AT_ONCE)
    # A denial or a subject's mark may be swept a step after the last session.
    _drain(caller, far_ms + DAY_MS, AT_ONCE)
    after = count()
    if after > before and rig.subject.backend.server == "mongo":
        endless = stored.mongo_endless(rig.place)
        require(not endless, f"{endless} documents are left behind, and no TTL index has them")
        return f"{full - before} records came, {after - before} are left to their TTL index"
    require(
        after <= before,
        f"{full - before} records were written and swept after all had expired;"
        f" {after - before} are left behind",
    )
    return f"{full - before} records came and went"


def _drain(caller: Caller, at_ms: int, limit: int) -> int:
    total = 0
    for _ in range(200):
        removed = caller.store.sweep(at_ms, limit)
        total += removed
        if removed < limit:
            return total
    raise Violation(f"sweep never ends: it removed {total} sessions and finds more")


def _native(rig: Rig, caller: Caller) -> str | None:
    if rig.subject.profile.held_by_client:
        raise NotApplicable("nothing is stored")
    require(
        rig.subject.profile.capabilities.native_ttl,
        "declares no native TTL and has no sweep: nothing ever removes an expired session",
    )
    if rig.subject.backend.server != "redis":
        return "its server reclaims; when it does can't be seen from here"
    before = set(stored.redis_expiries(rig.place))
    subject = new_name("subject")
    tokens: list[Token] = [caller.login(subject) for _ in range(3)]
    current = caller.rotated(tokens[0])
    caller.store.revoke(tokens[1].family, Reason.LOGOUT, caller.now_ms)
    caller.store.deny(current.digest, current.expires_at_ms)
    caller.store.revoke_subject(new_name("subject"), Reason.ADMIN, caller.now_ms)
    new = {k: at for k, at in stored.redis_expiries(rig.place).items() if k not in before}
    endless = [key for key, at_ms in new.items() if at_ms < 0]
    require(not endless, f"{len(endless)} keys never expire, such as {endless[:1]}")
    latest_ms = max(new.values())
    require(
        latest_ms <= caller.now_ms + ABSOLUTE_MS + DAY_MS,
        f"a key stays {(latest_ms - caller.now_ms) // DAY_MS} days, past any expiry",
    )
    family = tokens[1].family.id.encode()
    early = [at for key, at in new.items() if family in key and at < tokens[1].expires_at_ms]
    require(not early, "a session's key goes before the session's idle expiry")
    return f"no sweep; each of {len(new)} keys has an expiry of its own"


def denylist(rig: Rig) -> str | None:
    """23: a denied digest stays denied until its token has expired."""
    caller = rig.open()
    store, now_ms = caller.store, caller.now_ms
    unknown, brief, long, twice = (new_digest() for _ in range(4))
    days_ms = now_ms + 20 * DAY_MS
    before = _redis_keys(rig)
    store.deny(long, days_ms)
    _outlives(rig, before, days_ms)
    store.deny(twice, days_ms)
    store.deny(twice, now_ms + 1)
    _outlives(rig, before, days_ms)
    store.deny(new_digest(), now_ms - DAY_MS)
    require(not store.is_denied(unknown), "a digest that was never denied is denied")
    require(store.is_denied(long), "a digest is not denied right after deny returned")
    for other in [rig.open()] if rig.shared else []:
        require(
            other.store.is_denied(long), "another store on the same place does not see a denial"
        )

    until_ms = time.time_ns() // 1_000_000 + 300
    store.deny(brief, until_ms)
    while (at_ms := time.time_ns() // 1_000_000) <= until_ms:
        denied = store.is_denied(brief)
        # The answer counts only if the token had not expired while it was being given.
        if time.time_ns() // 1_000_000 < until_ms:
            require(denied, f"a denial was gone {until_ms - at_ms} ms before its token expired")
        time.sleep(0.02)
    if store.sweeps:
        for at_ms in (now_ms, now_ms + 3_600_000, days_ms - 1, days_ms):
            store.sweep(at_ms, AT_ONCE)
            left_ms = days_ms - at_ms
            require(store.is_denied(long), f"sweep removed a denial {left_ms} ms before its time")
            require(
                store.is_denied(twice), f"a shorter denial cut a longer one, {left_ms} ms early"
            )
    require(store.is_denied(twice), "a shorter denial of the same digest cut the longer one")
    return None


def _redis_keys(rig: Rig) -> Sequence[bytes]:
    return list(stored.redis_expiries(rig.place)) if rig.subject.backend.server == "redis" else []


def _outlives(rig: Rig, before: Sequence[bytes], until_ms: int) -> None:
    """See the expiry that a Redis key was given: waiting for it would take days."""
    if rig.subject.backend.server != "redis":
        return
    now = stored.redis_expiries(rig.place)
    early = [at_ms for key, at_ms in now.items() if key not in before and 0 <= at_ms < until_ms]
    require(not early, f"a denial's key goes {until_ms - min(early, default=0)} ms too early")
