"""Input that is legal and that somebody will send one day."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from backends.store import Family, Outcome, Policy, Reason, Session, Token
from bench.conform.caller import Caller, new_digest, new_name, token_of
from bench.conform.property import require
from bench.conform.rig import Rig

NAMES = {
    "1,000 characters": "s" * 1_000,
    "one character": "s",
    "Hangul and an emoji": "사용자-🗝️",
    "composed é": "caf\u00e9",
    "decomposed é": "cafe\u0301",
    "right to left": "\u202eمستخدم",
    "a NUL": "a\x00b",
    "only a NUL": "\x00",
    "quotes": 'O\'Brien "the" `user`; DROP TABLE session; --',
    "braces": "{user}:{}",
    "an unclosed brace": "{user",
    "dollars": "$where $1 ${x}",
    "a dollar first": "$set",
    "dots and slashes": "../../etc/passwd",
    "a dot": ".",
    "backslashes": "a\\b\\x00\\N",
    "percent and asterisk": "%s%d*?[a-z]_",
    "lines": "a\nb\r\nc\td",
    "spaces around": "  user  ",
    "the word null": "null",
    "a number": "007",
}
LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
AUTUMN_MS = 1_919_294_400_000
"""00:00 UTC on 27 October 2030: soon after, Europe's clocks go through one hour twice."""
HALF_AN_HOUR_MS = 1_800_000
MANY = 10_000
SEPARATORS = ":/|.,;-_#+@ \x00\n"
"""What a store may put between the parts of a name, and a name may hold."""


def legal_input(rig: Rig) -> str | None:
    """25: long, foreign and awkward names, distant times, and thousands of sessions."""
    caller = rig.open(Policy(grace_ms=1_000))
    for what, name in NAMES.items():
        _named(rig, caller, what, name)
    _distinct(rig, caller)
    for mark in SEPARATORS:
        _apart(rig, caller, mark)
    for turn in range(8):
        _expires(caller, AUTUMN_MS + turn * HALF_AN_HOUR_MS)
    for expires_ms in (2**31 * 1_000, 2**32 * 1_000 + 1, LATEST_MS):
        _expires(caller, expires_ms)
    return _many(rig, caller)


def _named(rig: Rig, caller: Caller, what: str, name: str) -> None:
    can = rig.subject.profile.capabilities
    session = caller.session(name, client=name, device=name)
    caller.store.issue(session)
    token = token_of(session)
    caller.expect(token, Outcome.VALID, f"a subject, client and device with {what}", device=name)
    found = caller.verify(token, device=name).session
    if found is not None:
        require(found == session, f"a subject with {what} came back as {found}, not {session}")
    rotated = caller.expect_rotate(token, Outcome.ROTATED, f"a subject with {what}", device=name)
    if can.lists_sessions:
        listed = [one.family for one in caller.store.sessions(name)]
        require(session.family in listed, f"the list of a subject with {what} lacks its session")
    if can.revokes:
        caller.store.revoke_subject(name, Reason.ADMIN, caller.now_ms)
        after = f"after revoke_subject of a subject with {what}"
        caller.expect(rotated.token, Outcome.REVOKED, after, device=name)


def _distinct(rig: Rig, caller: Caller) -> None:
    """No two names are one: a store that normalises them ends another's sessions."""
    if not rig.subject.profile.capabilities.revokes:
        return
    tail = new_name("")
    names = [f"{tail}{name}{tail}" for name in (*NAMES.values(), "Caf\u00e9", "CAFE", "user", "7")]
    tokens = {name: caller.login(name) for name in names}
    ended = names[::2]
    for name in ended:
        caller.store.revoke_subject(name, Reason.ADMIN, caller.now_ms)
    for name, token in tokens.items():
        outcome = Outcome.REVOKED if name in ended else Outcome.VALID
        caller.expect(token, outcome, f"half of many subjects ended; {name[:60]!r}")


def _apart(rig: Rig, caller: Caller, mark: str) -> None:
    """Two families whose names are one text when they are joined by `mark` stay two."""
    can = rig.subject.profile.capabilities
    head, middle, tail = (new_name("part") for _ in range(3))
    one = caller.login(family=Family(head, f"{middle}{mark}{tail}"))
    other = caller.login(family=Family(f"{head}{mark}{middle}", tail))
    when = f"a subject's name goes on after {mark!r} where another's ends"
    caller.expect(other, Outcome.VALID, when)
    caller.expect_rotate(one, Outcome.ROTATED, when)
    caller.expect(other, Outcome.VALID, when)
    if can.lists_sessions:
        listed = [session.family for session in caller.store.sessions(head)]
        require(listed == [one.family], f"{when}: its list holds {len(listed)} sessions, not 1")
    if can.revokes:
        caller.store.revoke_subject(head, Reason.ADMIN, caller.now_ms)
        caller.expect(other, Outcome.VALID, f"{when}, which was revoked")


def _expires(caller: Caller, expires_ms: int) -> None:
    token = caller.login(idle_expires_at_ms=expires_ms, absolute_expires_at_ms=expires_ms)
    when = f"an expiry at {expires_ms} ms"
    caller.expect(token, Outcome.VALID, f"1 ms before {when}", expires_ms - 1)
    caller.expect(token, Outcome.EXPIRED, f"at {when}", expires_ms)
    answer = caller.expect_rotate(token, Outcome.ROTATED, f"before {when}", expires_ms - 1)
    assert answer.stands is not None
    found_ms = answer.stands.idle_expires_at_ms
    require(found_ms == expires_ms, f"{when} came back as {found_ms}")


def _many(rig: Rig, caller: Caller) -> str | None:
    subject = new_name("subject")
    wanted = rig.amount(300, MANY, MANY)
    # A store that syncs each write takes minutes for all; the note says how many it got.
    until = time.monotonic() + rig.amount(2, 4, 120)
    sessions = [
        replace(first, family=first.family._replace(id=f"many-{number}"), digest=new_digest())
        for first in [caller.session(subject)]
        for number in range(wanted)
    ]

    def issue(session: Session) -> Token | None:
        if time.monotonic() > until:
            return None
        caller.store.issue(session)
        return token_of(session)

    with ThreadPoolExecutor(8) as pool:
        tokens = [token for token in pool.map(issue, sessions) if token is not None]
    can = rig.subject.profile.capabilities
    if can.lists_sessions:
        listed = {one.family.id for one in caller.store.sessions(subject)}
        require(
            listed == {token.family.id for token in tokens},
            f"of {len(tokens)} sessions of one subject its list holds {len(listed)}",
        )
    if can.revokes:
        caller.store.revoke_subject(subject, Reason.ADMIN, caller.now_ms)
    outcome = Outcome.REVOKED if can.revokes else Outcome.VALID
    for token in [*tokens[:: max(len(tokens) // 100, 1)], tokens[-1]]:
        caller.expect(token, outcome, f"one of {len(tokens)} sessions of one subject")
    return f"{len(tokens)} sessions of one subject"
