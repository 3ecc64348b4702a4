"""Server memory: a dictionary and a lock. The smallest whole store, and the one to copy.

Everything is gone with the process, and a second process sees nothing of it.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence

from backends.lifecycle import after_rotate, answer, judge, revoked
from backends.store import (
    Backend,
    Bound,
    Capabilities,
    Family,
    No,
    Outcome,
    Place,
    Policy,
    Profile,
    Reason,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)

GONE = No("the dictionary is gone with the process")
APART = No("each process has a dictionary of its own")

CAPABILITIES = Capabilities(
    survives_restart=GONE,
    survives_crash=GONE,
    survives_power_cut=GONE,
    shared_by_processes=APART,
    shared_by_hosts=APART,
    native_ttl=No("nothing leaves the dictionary until the application sweeps it"),
    bound=Bound(1_000_000, "each takes about 1 kB of the application's own memory"),
)

LATEST_ISSUE_MS = 3_600_000
"""How long an issue may be in flight: a subject's revocation is remembered for that long."""


class MemoryStore:
    """Sessions in dictionaries, every operation under one lock."""

    capabilities = CAPABILITIES

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._sessions: dict[Family, Session] = {}
        self._by_subject: dict[str, set[Family]] = defaultdict(set)
        self._subject_revoked_at_ms: dict[str, int] = {}
        self._denied_until_ms: dict[bytes, int] = {}

    def issue(self, session: Session) -> None:
        """Store a new session."""
        with self._lock:
            self._add(session)

    def load(self, sessions: Iterable[Session]) -> int:
        """Store many new sessions."""
        added = 0
        for session in sessions:
            with self._lock:
                added += self._add(session)
        return added

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        session = self._sessions.get(token.family)
        return Verification(judge(session, token, device, now_ms), session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        with self._lock:
            session = self._sessions.get(token.family)
            if session is None:
                return Rotation(Outcome.UNKNOWN)
            outcome, after = after_rotate(session, token, successor, device, self._policy, now_ms)
            self._sessions[token.family] = after
        return answer(outcome, after)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        with self._lock:
            session = self._sessions.get(family)
            if session is not None:
                self._sessions[family] = revoked(session, reason, now_ms)

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one."""
        with self._lock:
            ended_at_ms = max(now_ms, self._subject_revoked_at_ms.get(subject, now_ms))
            self._subject_revoked_at_ms[subject] = ended_at_ms
            for family in self._by_subject.get(subject, ()):
                if family.id != except_family:
                    self._sessions[family] = revoked(self._sessions[family], reason, now_ms)

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        with self._lock:
            self._denied_until_ms[digest] = max(
                until_ms, self._denied_until_ms.get(digest, until_ms)
            )

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        return digest in self._denied_until_ms

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        with self._lock:
            return [self._sessions[family] for family in self._by_subject.get(subject, ())]

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove expired sessions and past denials."""
        with self._lock:
            expired = [f for f, s in self._sessions.items() if s.idle_expires_at_ms <= now_ms][
                :limit
            ]
            for family in expired:
                del self._sessions[family]
                self._by_subject[family.subject].discard(family)
                if not self._by_subject[family.subject]:
                    del self._by_subject[family.subject]
            for digest in [d for d, until_ms in self._denied_until_ms.items() if until_ms < now_ms]:
                del self._denied_until_ms[digest]
            for subject, at_ms in list(self._subject_revoked_at_ms.items()):
                if at_ms + LATEST_ISSUE_MS < now_ms:
                    del self._subject_revoked_at_ms[subject]
        return len(expired)

    def _add(self, session: Session) -> bool:
        """Store a session, under the lock; say whether it is new."""
        family = session.family
        ended_at_ms = self._subject_revoked_at_ms.get(family.subject)
        if ended_at_ms is not None and session.issued_at_ms <= ended_at_ms:
            session = revoked(session, Reason.SUBJECT, ended_at_ms)
        if self._sessions.setdefault(family, session) is not session:
            return False
        self._by_subject[family.subject].add(family)
        return True

    def close(self) -> None:
        """Nothing was opened; the sessions stay for whoever still holds the store."""


def open_store(place: Place, profile: Profile, policy: Policy) -> MemoryStore:
    """Open an empty store."""
    del place, profile
    return MemoryStore(policy)


BACKEND = Backend(
    name="memory",
    title="Server memory",
    summary="a dictionary in the application's own process",
    profiles={
        "process": Profile(
            name="process", summary="lives as long as the process", capabilities=CAPABILITIES
        )
    },
    open=open_store,
    naive_backend="memory-naive",
)
