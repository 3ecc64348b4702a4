"""The dictionary store, the model of all others: what is its own, beyond `lifecycle`."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backends import resolve
from backends.memory import LATEST_ISSUE_MS, MemoryStore
from backends.store import Lists, Outcome, Place, Policy, Reason, Revokes, Successor, Sweeps
from bench.conform.caller import DEVICE, IDLE_MS, new_digest, new_session, token_of

NOW_MS = 1_767_225_600_123


@pytest.fixture
def store() -> MemoryStore:
    """Give an empty store."""
    return MemoryStore(Policy())


def successor() -> Successor:
    return Successor(new_digest(), NOW_MS + IDLE_MS)


def test_it_has_every_ability(store: MemoryStore) -> None:
    """It lacks what a process lacks, and nothing of the interface."""
    assert all(isinstance(store, ability) for ability in (Revokes, Lists, Sweeps))
    assert set(store.capabilities.lacking()) == {
        "survives_restart",
        "survives_crash",
        "survives_power_cut",
        "shared_by_processes",
        "shared_by_hosts",
        "native_ttl",
    }


def test_each_store_has_sessions_of_its_own(tmp_path: Path) -> None:
    """Opened again, even on the same place, it is empty."""
    subject, session = resolve("memory"), new_session(NOW_MS)
    first, second = (subject.open(Place(tmp_path), Policy()) for _ in range(2))
    first.issue(session)
    assert second.verify(token_of(session), DEVICE, NOW_MS).outcome is Outcome.UNKNOWN
    first.close()
    assert first.verify(token_of(session), DEVICE, NOW_MS).outcome is Outcome.VALID


def test_issue_does_not_overwrite(store: MemoryStore) -> None:
    """A family that exists stays as it is, whatever is issued under its name."""
    session = new_session(NOW_MS)
    store.issue(session)
    store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
    [before] = store.sessions(session.family.subject)
    store.issue(session)
    store.issue(new_session(NOW_MS, family=session.family))
    assert store.sessions(session.family.subject) == [before]


def test_of_sixteen_threads_one_wins(store: MemoryStore) -> None:
    """And the fifteen others kill the family, for their tokens are rotated away by then."""
    sessions = [new_session(NOW_MS) for _ in range(50)]
    for session in sessions:
        store.issue(session)
    meeting = threading.Barrier(16)

    def race() -> list[Outcome]:
        outcomes = []
        for session in sessions:
            meeting.wait(30)
            answer = store.rotate(token_of(session), successor(), DEVICE, NOW_MS)
            outcomes.append(answer.outcome)
        return outcomes

    with ThreadPoolExecutor(16) as pool:
        racers = [pool.submit(race) for _ in range(16)]
    for outcomes in zip(*(racer.result() for racer in racers), strict=True):
        assert sorted(outcomes) == [Outcome.REUSED] + [Outcome.REVOKED] * 14 + [Outcome.ROTATED]


def test_a_subject_is_revoked_with_its_issues_in_flight(store: MemoryStore) -> None:
    """What began at or before the revocation arrives dead; what began after it lives."""
    there, spared = (new_session(NOW_MS, subject="s") for _ in range(2))
    store.issue(there)
    store.issue(spared)
    store.revoke_subject("s", Reason.ADMIN, NOW_MS, spared.family.id)
    store.revoke_subject("s", Reason.ADMIN, NOW_MS - 50, spared.family.id)
    late, after = (new_session(ms, subject="s") for ms in (NOW_MS, NOW_MS + 1))
    store.issue(late)
    store.issue(after)
    found = {s.family: (s.revoked_at_ms, s.revoked_reason) for s in store.sessions("s")}
    assert found == {
        there.family: (NOW_MS, Reason.ADMIN),
        spared.family: (None, None),
        late.family: (NOW_MS, Reason.SUBJECT),
        after.family: (None, None),
    }


def test_a_revocation_is_remembered_as_long_as_an_issue_may_take(store: MemoryStore) -> None:
    """A sweep forgets it no earlier than an hour later, and then it does."""
    store.revoke_subject("s", Reason.ADMIN, NOW_MS)
    store.sweep(NOW_MS + LATEST_ISSUE_MS, 10)
    store.issue(new_session(NOW_MS, subject="s"))
    assert store.sessions("s")[0].revoked_at_ms == NOW_MS
    store.sweep(NOW_MS + LATEST_ISSUE_MS + 1, 10)
    store.issue(new_session(NOW_MS - 1, subject="s"))
    assert {session.revoked_at_ms for session in store.sessions("s")} == {NOW_MS, None}


def test_a_denial_is_never_shortened(store: MemoryStore) -> None:
    """It outlives the token it denies, and goes with the sweep after that."""
    digest = new_digest()
    store.deny(digest, NOW_MS)
    store.deny(digest, NOW_MS - 10)
    store.sweep(NOW_MS, 10)
    assert store.is_denied(digest)
    store.sweep(NOW_MS + 1, 10)
    assert not store.is_denied(digest)


def test_a_sweep_is_bounded_and_leaves_what_reuse_detection_needs(store: MemoryStore) -> None:
    """Revoked or rotated, a session stays until its idle expiry has passed."""
    expired = [new_session(NOW_MS, idle_expires_at_ms=NOW_MS) for _ in range(5)]
    ended = new_session(NOW_MS, subject=expired[0].family.subject)
    for session in [*expired, ended]:
        store.issue(session)
    store.revoke(ended.family, Reason.LOGOUT, NOW_MS)
    assert [store.sweep(NOW_MS, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert [session.family for session in store.sessions(ended.family.subject)] == [ended.family]
    assert store.sessions(expired[1].family.subject) == []
