"""The same random life given to a store and to the dictionary store, which must answer alike.

The dictionary store calls `lifecycle.py` itself, so it is the definition. Servers that decide in a
language of their own are held to it here, operation by operation.
"""

import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import (
    Family,
    Lists,
    Outcome,
    Policy,
    Reason,
    RefreshStore,
    Revokes,
    Session,
    Successor,
    Sweeps,
    Token,
)

POLICIES = [
    Policy(grace_ms=grace_ms, revoke_on_device_mismatch=revoke)
    for grace_ms in (0, 5_000)
    for revoke in (False, True)
]
DEVICES = ("phone", "$digest", 'lap"top\0\N{SNOWMAN}', "")
SUBJECTS = ("{a}{b}", "$subject.\0'\"\N{GREEK SMALL LETTER ALPHA}", "plain", "")
FAMILIES = ("1", "{2}", "$family.:\0", "")
LIFETIME_MS = 40_000
STEP_MS = 3_000


class Pair:
    """A store and its model, fed with the same operations from a seed."""

    def __init__(self, store: RefreshStore, policy: Policy, seed: int, start_ms: int) -> None:
        assert isinstance(store, Revokes)
        assert isinstance(store, Lists)
        self.store = store
        self.model = MemoryStore(policy)
        self.seen: Counter[Outcome] = Counter()
        self._random = random.Random(seed)
        self._now_ms = start_ms
        # Names of this run alone, whatever the seed, since the server may be shared.
        self._run = uuid.uuid4().hex
        self._tokens: list[Token] = []
        self._operations = {
            self.issue: 8,
            self.verify: 25,
            self.rotate: 45,
            self.revoke: 3,
            self.revoke_subject: 2,
            self.deny: 3,
            self.sweep: 1,
        }

    def step(self) -> None:
        """Let time pass, mostly forwards, and do one operation; everything must agree after it."""
        self._now_ms += self._random.randint(-STEP_MS // 3, STEP_MS)
        [operation] = self._random.choices(list(self._operations), list(self._operations.values()))
        operation()

    def compare(self) -> None:
        """Every session of every subject must be the same in both, to the last field."""
        for subject in self._subjects():
            found, expected = self.store.sessions(subject), self.model.sessions(subject)
            assert _sorted(found) == _sorted(expected), (found, expected)

    def issue(self) -> None:
        """A new session, or one more attempt to issue a family that exists."""
        issued_ms = self._now_ms - self._random.choice([0, 0, STEP_MS])
        fresh = Family(self._random.choice(self._subjects()), self._random.randbytes(4).hex())
        session = Session(
            family=self._random.choice([fresh, fresh, self._family()]),
            client="web",
            device=self._random.choice(DEVICES),
            issued_at_ms=issued_ms,
            idle_expires_at_ms=issued_ms + self._random.choice([0, 1, 2, 4]) * LIFETIME_MS,
            absolute_expires_at_ms=issued_ms + self._random.choice([1, 3]) * LIFETIME_MS,
            digest=self._random.randbytes(32),
        )
        self.model.issue(session)
        self.store.issue(session)
        self._tokens.append(self._token(session))

    def verify(self) -> None:
        """Judge some token of the past, or a forged one."""
        token, device = self._presented()
        expected = self.model.verify(token, device, self._now_ms)
        found = self.store.verify(token, device, self._now_ms)
        assert found == expected, (found, expected)
        self.seen[expected.outcome] += 1

    def rotate(self) -> None:
        """Rotate some token of the past, or a forged one."""
        token, device = self._presented()
        idle_ms = self._now_ms + self._random.choice([1, 2, 4]) * LIFETIME_MS
        successor = Successor(self._random.randbytes(32), idle_ms)
        expected = self.model.rotate(token, successor, device, self._now_ms)
        found = self.store.rotate(token, successor, device, self._now_ms)
        assert found == expected, (found, expected)
        self.seen[expected.outcome] += 1
        if expected.outcome is Outcome.ROTATED:
            session = self.model.verify(token, device, self._now_ms).session
            assert session is not None
            self._tokens.append(self._token(session))

    def revoke(self) -> None:
        """Log out of a session that may not exist."""
        assert isinstance(self.store, Revokes)
        family, reason = self._family(), self._random.choice([Reason.LOGOUT, Reason.ADMIN])
        self.model.revoke(family, reason, self._now_ms)
        self.store.revoke(family, reason, self._now_ms)

    def revoke_subject(self) -> None:
        """End every session of a subject, sometimes but one."""
        assert isinstance(self.store, Revokes)
        subject, family = self._family()
        spared = self._random.choice([None, family])
        self.model.revoke_subject(subject, Reason.SUBJECT, self._now_ms, spared)
        self.store.revoke_subject(subject, Reason.SUBJECT, self._now_ms, spared)

    def deny(self) -> None:
        """Deny a digest, and look it and another up."""
        assert isinstance(self.store, Revokes)
        digest = uuid.uuid4().bytes * 2
        for store in (self.model, self.store):
            assert not store.is_denied(digest)
            store.deny(digest, self._now_ms + LIFETIME_MS)
            store.deny(digest, self._now_ms)
            assert store.is_denied(digest)

    def sweep(self) -> None:
        """Remove what has expired, where the store leaves that to the application."""
        if isinstance(self.store, Sweeps):
            for store in (self.model, self.store):
                store.sweep(self._now_ms, 10_000)

    def _subjects(self) -> Sequence[str]:
        return [subject + self._run for subject in SUBJECTS]

    def _family(self) -> Family:
        """Give the family of some token so far, or perhaps another."""
        if self._tokens and self._random.random() < 0.7:
            return self._random.choice(self._tokens[-20:]).family
        number = self._random.choice(["", "1", "2", "3", "4"])
        return Family(self._random.choice(self._subjects()), self._random.choice(FAMILIES) + number)

    def _token(self, session: Session) -> Token:
        return Token(
            family=session.family,
            generation=session.generation,
            digest=session.digest,
            expires_at_ms=session.idle_expires_at_ms,
            absolute_expires_at_ms=session.absolute_expires_at_ms,
            device=session.device,
        )

    def _presented(self) -> tuple[Token, str]:
        """Give a token, most often a late one, and the device that presents it."""
        known = self._tokens or [self._token(self._stranger())]
        token = self._random.choice(known[-self._random.choice([1, 2, 4, 1_000]) :])
        match self._random.choices(["as it is", "forged", "future"], [90, 5, 5]):
            case ["forged"]:
                token = token._replace(digest=self._random.randbytes(32))
            case ["future"]:
                token = token._replace(generation=token.generation + self._random.randint(1, 3))
        device = token.device if self._random.random() < 0.9 else self._random.choice(DEVICES)
        return token, device

    def _stranger(self) -> Session:
        return Session(
            family=self._family(),
            client="web",
            device="phone",
            issued_at_ms=self._now_ms,
            idle_expires_at_ms=self._now_ms + LIFETIME_MS,
            absolute_expires_at_ms=self._now_ms + LIFETIME_MS,
            digest=self._random.randbytes(32),
        )


def _sorted(sessions: Sequence[Session]) -> Sequence[Session]:
    return sorted((replace(session) for session in sessions), key=lambda session: session.family)
