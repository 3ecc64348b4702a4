"""The comparison with the dictionary store must notice a store that is a little wrong."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from backends.lifecycle import rotated
from backends.memory import MemoryStore
from backends.store import Family, Outcome, Policy, Reason, Rotation, Session, Successor, Token
from tests.differential import Pair

POLICY = Policy(grace_ms=5_000)


class ForgetsDevice(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return super().rotate(token, successor, token.device, now_ms)


class OutlivesAbsoluteExpiry(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        rotation = super().rotate(token, successor, device, now_ms)
        if before is not None and rotation.outcome is Outcome.ROTATED:
            after = rotated(before, successor, POLICY, now_ms)
            idle_ms = successor.idle_expires_at_ms
            self._sessions[token.family] = replace(after, idle_expires_at_ms=idle_ms)
        return rotation


class KillsNothing(MemoryStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        before = self._sessions.get(token.family)
        rotation = super().rotate(token, successor, device, now_ms)
        if before is not None and rotation.outcome is Outcome.REUSED:
            self._sessions[token.family] = before
        return rotation


class KeepsTheLastReason(MemoryStore):
    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        if session := self._sessions.get(family):
            self._sessions[family] = replace(session, revoked_at_ms=None)
        super().revoke(family, reason, now_ms)


class Overwrites(MemoryStore):
    def issue(self, session: Session) -> None:
        self._sessions.pop(session.family, None)
        super().issue(session)


class SparesNobody(MemoryStore):
    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        del except_family
        super().revoke_subject(subject, reason, now_ms)


class MissesIssuesInFlight(MemoryStore):
    def issue(self, session: Session) -> None:
        self._subject_revoked_at_ms.clear()
        super().issue(session)


class ShortensDenials(MemoryStore):
    def deny(self, digest: bytes, until_ms: int) -> None:
        if self._denied_until_ms.pop(digest, None) is None:
            super().deny(digest, until_ms)


def live(store: MemoryStore) -> None:
    """Take a store through lives from several seeds, compared at each step."""
    for seed in range(5):
        pair = Pair(store, POLICY, seed=seed, start_ms=0)
        for _ in range(400):
            pair.step()
            pair.compare()


def test_a_right_store_passes() -> None:
    live(MemoryStore(POLICY))


@pytest.mark.parametrize(
    "broken",
    [
        ForgetsDevice,
        OutlivesAbsoluteExpiry,
        KillsNothing,
        KeepsTheLastReason,
        Overwrites,
        SparesNobody,
        MissesIssuesInFlight,
        ShortensDenials,
    ],
)
def test_a_wrong_store_is_noticed(broken: Callable[[Policy], MemoryStore]) -> None:
    with pytest.raises(AssertionError):
        live(broken(POLICY))
