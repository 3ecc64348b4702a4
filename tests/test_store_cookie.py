"""The cookie store: what it can say from a token alone, and what it says it can't."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from backends import resolve
from backends.cookie import BACKEND, CookieStore
from backends.lifecycle import judge
from backends.store import (
    Configured,
    Family,
    Lists,
    Outcome,
    Place,
    Policy,
    Revokes,
    Rotation,
    Session,
    Successor,
    Sweeps,
    Token,
    Verification,
)

NOW_MS = 1_767_225_600_123
TOKEN = Token(Family("user", "family"), 3, b"d" * 32, NOW_MS + 10, NOW_MS + 20, "phone")
SUCCESSOR = Successor(b"e" * 32, NOW_MS + 15)

STORE = CookieStore()


def test_a_good_token_is_rotated_for_everyone_who_has_it() -> None:
    """Any number of racers win, and the old token stays as good as the new ones."""
    answers = {STORE.rotate(TOKEN, SUCCESSOR, "phone", NOW_MS) for _ in range(3)}
    assert answers == {Rotation(Outcome.ROTATED, SUCCESSOR)}
    assert STORE.verify(TOKEN, "phone", NOW_MS) == Verification(Outcome.VALID)


def test_a_successor_never_outlives_the_session() -> None:
    """Its expiry is clamped to the absolute expiry that the token carries."""
    eager = Successor(b"e" * 32, NOW_MS + 1_000)
    assert STORE.rotate(TOKEN, eager, "phone", NOW_MS).successor == Successor(
        b"e" * 32, TOKEN.absolute_expires_at_ms
    )


def test_the_session_is_not_made_up() -> None:
    """The claims don't say when it was issued, nor to which client; so it is None, even issued."""
    STORE.issue(
        Session(
            family=TOKEN.family,
            client="web",
            device="phone",
            issued_at_ms=NOW_MS,
            idle_expires_at_ms=TOKEN.expires_at_ms,
            absolute_expires_at_ms=TOKEN.absolute_expires_at_ms,
            digest=TOKEN.digest,
        )
    )
    assert STORE.verify(TOKEN, "phone", NOW_MS).session is None


@given(
    now_ms=st.integers(NOW_MS, NOW_MS + 30),
    idle_ms=st.integers(0, 30),
    absolute_ms=st.integers(0, 30),
    device=st.sampled_from(["phone", "laptop"]),
)
def test_it_judges_as_if_the_token_were_the_session(
    now_ms: int, idle_ms: int, absolute_ms: int, device: str
) -> None:
    """Expiry before device, "on or after": what `lifecycle.judge` says of a current token."""
    token = TOKEN._replace(
        expires_at_ms=NOW_MS + idle_ms, absolute_expires_at_ms=NOW_MS + absolute_ms
    )
    session = Session(
        family=token.family,
        client="",
        device=token.device,
        issued_at_ms=NOW_MS,
        idle_expires_at_ms=token.expires_at_ms,
        absolute_expires_at_ms=token.absolute_expires_at_ms,
        digest=token.digest,
        generation=token.generation,
    )
    expected = judge(session, token, device, now_ms)
    assert STORE.verify(token, device, now_ms).outcome is expected
    rotation = STORE.rotate(token, SUCCESSOR, device, now_ms)
    if expected is Outcome.VALID:
        assert rotation.outcome is Outcome.ROTATED
    else:
        assert rotation == Rotation(expected)


def test_what_it_lacks_it_has_no_methods_for_and_says_why() -> None:
    """It can't revoke, detect reuse or list, and claims no setting that could be read back."""
    assert set(STORE.capabilities.lacking()) == {"revokes", "detects_reuse", "lists_sessions"}
    for ability in (Revokes, Lists, Sweeps, Configured):
        assert not isinstance(STORE, ability)


def test_the_policy_changes_nothing(tmp_path: Path) -> None:
    """There is nothing to be in grace, and nobody to revoke."""
    subject = resolve("cookie")
    assert subject.backend is BACKEND
    assert subject.profile.held_by_client
    policy = Policy(grace_ms=10_000, revoke_on_device_mismatch=True)
    store = BACKEND.open(Place(tmp_path), subject.profile, policy)
    assert store.rotate(TOKEN, SUCCESSOR, "laptop", NOW_MS).outcome is Outcome.DEVICE_MISMATCH
    assert store.rotate(TOKEN, SUCCESSOR, "phone", NOW_MS).outcome is Outcome.ROTATED
    store.close()
