"""The life of a session: what each outcome means, and what each step changes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.lifecycle import after_rotate, judge, revoked, rotated
from backends.store import Family, Outcome, Policy, Reason, Session, Successor, Token

NOW_MS = 1_767_225_600_123
OLDEST, PREDECESSOR, CURRENT, NEXT = (bytes([n]) * 32 for n in (1, 2, 3, 4))

SESSION = Session(
    family=Family("user", "family"),
    client="web",
    device="phone",
    issued_at_ms=NOW_MS - 100,
    idle_expires_at_ms=NOW_MS + 50,
    absolute_expires_at_ms=NOW_MS + 80,
    digest=CURRENT,
    generation=2,
    predecessor_digest=PREDECESSOR,
    rotated_at_ms=NOW_MS - 10,
    grace_until_ms=NOW_MS + 5,
)
ENDED = replace(SESSION, revoked_at_ms=NOW_MS - 1, revoked_reason=Reason.LOGOUT)
SUCCESSOR = Successor(NEXT, NOW_MS + 70)


def token(generation: int, digest: bytes) -> Token:
    return Token(SESSION.family, generation, digest, NOW_MS + 50, NOW_MS + 80, "phone")


@pytest.mark.parametrize(
    ("session", "presented", "device", "at_ms", "outcome"),
    [
        # The current token.
        (SESSION, token(2, CURRENT), "phone", 0, Outcome.VALID),
        (SESSION, token(2, CURRENT), "laptop", 0, Outcome.DEVICE_MISMATCH),
        (SESSION, token(2, CURRENT), "phone", 49, Outcome.VALID),
        (SESSION, token(2, CURRENT), "phone", 50, Outcome.EXPIRED),
        (
            replace(SESSION, idle_expires_at_ms=NOW_MS + 99),
            token(2, CURRENT),
            "phone",
            80,
            "expired",
        ),
        (ENDED, token(2, CURRENT), "phone", 0, Outcome.REVOKED),
        # Tokens that this session never had: nothing is told apart, nothing is changed.
        (None, token(2, CURRENT), "phone", 0, Outcome.UNKNOWN),
        (SESSION, token(2, OLDEST), "phone", 0, Outcome.UNKNOWN),
        (SESSION, token(1, OLDEST), "phone", 0, Outcome.UNKNOWN),
        (SESSION, token(3, CURRENT), "phone", 0, Outcome.UNKNOWN),
        (ENDED, token(2, OLDEST), "phone", 0, Outcome.UNKNOWN),
        (ENDED, token(3, CURRENT), "phone", 99, Outcome.UNKNOWN),
        # The immediate predecessor: in grace strictly before the window's end.
        (SESSION, token(1, PREDECESSOR), "phone", 4, Outcome.GRACE),
        (SESSION, token(1, PREDECESSOR), "phone", 5, Outcome.REUSED),
        (SESSION, token(1, PREDECESSOR), "laptop", 4, Outcome.DEVICE_MISMATCH),
        (SESSION, token(1, PREDECESSOR), "laptop", 5, Outcome.REUSED),
        (replace(SESSION, grace_until_ms=0), token(1, PREDECESSOR), "phone", 0, Outcome.REUSED),
        # Grace outlasts no expiry.
        (
            replace(SESSION, grace_until_ms=NOW_MS + 60),
            token(1, PREDECESSOR),
            "phone",
            50,
            "expired",
        ),
        # Older tokens: theft, whoever holds them, in grace or not.
        (SESSION, token(0, OLDEST), "phone", 0, Outcome.REUSED),
        (SESSION, token(0, OLDEST), "laptop", 0, Outcome.REUSED),
        # Ended before expired, expired before reused.
        (ENDED, token(0, OLDEST), "phone", 99, Outcome.REVOKED),
        (SESSION, token(0, OLDEST), "phone", 50, Outcome.EXPIRED),
    ],
)
def test_each_presented_token_has_its_outcome(
    session: Session | None, presented: Token, device: str, at_ms: int, outcome: str
) -> None:
    """The decision table; `at_ms` counts from now."""
    assert judge(session, presented, device, NOW_MS + at_ms) is Outcome(outcome)


def test_a_new_session_has_no_predecessor() -> None:
    """An empty digest at generation 0 is not the digest of a token."""
    fresh = replace(SESSION, generation=0, predecessor_digest=b"")
    assert judge(fresh, token(-1, CURRENT), "phone", NOW_MS) is Outcome.UNKNOWN


def test_a_rotation_moves_one_generation_on() -> None:
    """The successor is current, the token is predecessor, and nothing else has changed."""
    assert rotated(SESSION, SUCCESSOR, Policy(grace_ms=7), NOW_MS) == replace(
        SESSION,
        generation=3,
        digest=NEXT,
        predecessor_digest=CURRENT,
        idle_expires_at_ms=NOW_MS + 70,
        rotated_at_ms=NOW_MS,
        grace_until_ms=NOW_MS + 7,
    )


def test_without_grace_there_is_no_window() -> None:
    """Not even one that ends in the same millisecond."""
    assert rotated(SESSION, SUCCESSOR, Policy(), NOW_MS).grace_until_ms == 0


def test_a_revocation_keeps_the_first_reason() -> None:
    """And the first instant; a second one changes nothing at all."""
    assert revoked(SESSION, Reason.ADMIN, NOW_MS) == replace(
        SESSION, revoked_at_ms=NOW_MS, revoked_reason=Reason.ADMIN
    )
    assert revoked(ENDED, Reason.ADMIN, NOW_MS) is ENDED


STRICT = Policy(revoke_on_device_mismatch=True)


@pytest.mark.parametrize(
    ("presented", "device", "policy", "outcome", "reason"),
    [
        (token(2, CURRENT), "phone", Policy(), Outcome.ROTATED, None),
        (token(1, PREDECESSOR), "phone", Policy(), Outcome.GRACE, None),
        (token(0, OLDEST), "phone", Policy(), Outcome.REUSED, Reason.REUSE),
        (token(2, CURRENT), "laptop", Policy(), Outcome.DEVICE_MISMATCH, None),
        (token(2, CURRENT), "laptop", STRICT, Outcome.DEVICE_MISMATCH, Reason.DEVICE),
        (token(1, PREDECESSOR), "laptop", STRICT, Outcome.DEVICE_MISMATCH, Reason.DEVICE),
        (token(2, OLDEST), "laptop", STRICT, Outcome.UNKNOWN, None),
    ],
)
def test_what_a_rotation_commits(
    presented: Token, device: str, policy: Policy, outcome: Outcome, reason: Reason | None
) -> None:
    """ROTATED the successor, REUSED the death, a mismatch by policy; all else nothing."""
    answer, after = after_rotate(SESSION, presented, SUCCESSOR, device, policy, NOW_MS)
    assert answer is outcome
    assert after.revoked_reason is reason
    if outcome is Outcome.ROTATED:
        assert after == rotated(SESSION, SUCCESSOR, policy, NOW_MS)
    elif reason is None:
        assert after is SESSION


instants = st.integers(NOW_MS - 5, NOW_MS + 12)


@given(
    grace_ms=st.integers(0, 6),
    steps=st.lists(
        st.tuples(instants, st.integers(0, 3), st.sampled_from(["phone", "laptop"]), instants),
        max_size=12,
    ),
)
def test_whatever_happens_the_session_stays_within_its_bounds(
    grace_ms: int, steps: list[tuple[int, int, str, int]]
) -> None:
    """No expiry past the absolute one, no way back from death, one step of a generation at most."""
    policy = Policy(grace_ms=grace_ms)
    session = replace(SESSION, absolute_expires_at_ms=NOW_MS + 8, idle_expires_at_ms=NOW_MS + 6)
    digests = [OLDEST, PREDECESSOR, CURRENT]
    for at_ms, age, device, expires_at_ms in steps:
        generation = max(session.generation - age, 0)
        proposed = Successor(bytes([len(digests)]) * 32, expires_at_ms)
        presented = token(generation, digests[generation])
        outcome, after = after_rotate(session, presented, proposed, device, policy, at_ms)
        assert after.idle_expires_at_ms <= max(
            session.idle_expires_at_ms, session.absolute_expires_at_ms
        )
        assert after.absolute_expires_at_ms == session.absolute_expires_at_ms
        assert after.generation - session.generation == (outcome is Outcome.ROTATED)
        if session.revoked_at_ms is not None:
            assert outcome is Outcome.REVOKED
            assert after is session
        if outcome is Outcome.ROTATED:
            digests.append(proposed.digest)
            assert after.idle_expires_at_ms <= after.absolute_expires_at_ms
            assert at_ms < session.idle_expires_at_ms
        if outcome is Outcome.REUSED:
            assert judge(after, token(after.generation, after.digest), "phone", at_ms) is (
                Outcome.REVOKED
            )
        session = after
