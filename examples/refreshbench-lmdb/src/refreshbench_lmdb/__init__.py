"""LMDB: one writer at a time, readers never wait, every transaction is durable or it never was.

    session   subject, family  -> the session, pickled
    ended     subject          -> when its sessions were last ended
    denied    digest           -> until when

Keys are digests: LMDB's keys hold at most 511 bytes, a subject may be longer.
"""

import os
import pickle
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb

from backends.errors import StoreRefused, StoreUnavailable
from backends.lifecycle import after_rotate, answer, judge, revoked
from backends.store import (
    Backend,
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

LARGEST_BYTES = 1 << 32
"""The map's size: address space, not memory."""
LATEST_ISSUE_MS = 3_600_000
"""How long an issue may be in flight: a subject's revocation is remembered for that long."""

APART = No("the file is on one host")
NO_TTL = No("nothing leaves the file until the application sweeps it")

_environments: dict[tuple[int, Path], tuple[lmdb.Environment, int]] = {}
"""A process may open an LMDB file once, so that its stores share it, and are counted."""


class LmdbStore:
    """Sessions in an LMDB file."""

    def __init__(self, path: Path, policy: Policy, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._path = path
        self._policy = policy
        self._env = _opened(path, sync=bool(capabilities.survives_power_cut))
        self._sessions = self._env.open_db(b"session")
        self._ended = self._env.open_db(b"ended")
        self._denied = self._env.open_db(b"denied")
        self._open = True

    def issue(self, session: Session) -> None:
        """Store a new session."""
        subject = session.family.subject
        with self._writing() as txn:
            ended = txn.get(_hash(subject), db=self._ended)
            if ended is not None and session.issued_at_ms <= _instant_ms(ended):
                session = revoked(session, Reason.SUBJECT, _instant_ms(ended))
            txn.put(_key(session.family), pickle.dumps(session), db=self._sessions, overwrite=False)

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        with self._reading() as txn:
            session = self._find(txn, token.family)
        return Verification(judge(session, token, device, now_ms), session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        with self._writing() as txn:
            session = self._find(txn, token.family)
            if session is None:
                return Rotation(Outcome.UNKNOWN)
            outcome, after = after_rotate(session, token, successor, device, self._policy, now_ms)
            if after is not session:
                self._put(txn, after)
        return answer(outcome, after)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        with self._writing() as txn:
            session = self._find(txn, family)
            if session is not None:
                self._put(txn, revoked(session, reason, now_ms))

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one."""
        with self._writing() as txn:
            before = txn.get(_hash(subject), db=self._ended)
            ended_ms = now_ms if before is None else max(now_ms, _instant_ms(before))
            txn.put(_hash(subject), _instant(ended_ms), db=self._ended)
            for session in list(self._of_subject(txn, subject)):
                if session.family.id != except_family:
                    self._put(txn, revoked(session, reason, now_ms))

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        with self._writing() as txn:
            before = txn.get(digest, db=self._denied)
            longest_ms = until_ms if before is None else max(until_ms, _instant_ms(before))
            txn.put(digest, _instant(longest_ms), db=self._denied)

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        with self._reading() as txn:
            return txn.get(digest, db=self._denied) is not None

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        with self._reading() as txn:
            return list(self._of_subject(txn, subject))

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove expired sessions and past denials."""
        with self._writing() as txn:
            with txn.cursor(db=self._sessions) as cursor:
                found = (
                    key for key, value in cursor if _session(value).idle_expires_at_ms <= now_ms
                )
                expired = list(islice(found, limit))
            for key in expired:
                txn.delete(key, db=self._sessions)
            _remove_before(txn, self._denied, now_ms)
            _remove_before(txn, self._ended, now_ms - LATEST_ISSUE_MS)
        return len(expired)

    def close(self) -> None:
        """Close the file when its last store in this process is closed."""
        if self._open:
            self._open = False
            _closed(self._path)

    def _find(self, txn: lmdb.Transaction, family: Family) -> Session | None:
        value = txn.get(_key(family), db=self._sessions)
        return None if value is None else _session(value)

    def _put(self, txn: lmdb.Transaction, session: Session) -> None:
        txn.put(_key(session.family), pickle.dumps(session), db=self._sessions)

    def _of_subject(self, txn: lmdb.Transaction, subject: str) -> Iterator[Session]:
        prefix = _hash(subject)
        with txn.cursor(db=self._sessions) as cursor:
            found = cursor.set_range(prefix)
            while found and bytes(cursor.key()).startswith(prefix):
                yield _session(cursor.value())
                found = cursor.next()

    @contextmanager
    def _writing(self) -> Iterator[lmdb.Transaction]:
        with _translated(), self._env.begin(write=True) as txn:
            yield txn

    @contextmanager
    def _reading(self) -> Iterator[lmdb.Transaction]:
        with _translated(), self._env.begin() as txn:
            yield txn


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (lmdb.MapFullError, lmdb.DiskError) as error:
        raise StoreRefused(str(error)) from error
    except lmdb.Error as error:
        raise StoreUnavailable(str(error)) from error


def _opened(path: Path, *, sync: bool) -> lmdb.Environment:
    key = (os.getpid(), path)
    if key in _environments:
        environment, users = _environments[key]
    else:
        users = 0
        with _translated():
            environment = lmdb.open(
                str(path), map_size=LARGEST_BYTES, max_dbs=3, max_readers=1_024, sync=sync
            )
    _environments[key] = environment, users + 1
    return environment


def _closed(path: Path) -> None:
    environment, users = _environments.pop((os.getpid(), path))
    if users > 1:
        _environments[os.getpid(), path] = environment, users - 1
    else:
        environment.close()


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _key(family: Family) -> bytes:
    return _hash(family.subject) + _hash(family.id)


def _session(value: bytes | memoryview) -> Session:
    session: Session = pickle.loads(value)  # noqa: S301 - the file is as trusted as the program
    return session


def _instant(instant_ms: int) -> bytes:
    return struct.pack(">q", instant_ms)


def _instant_ms(value: bytes | memoryview) -> int:
    instant_ms: int = struct.unpack(">q", value)[0]
    return instant_ms


def _remove_before(txn: lmdb.Transaction, table: Any, before_ms: int) -> None:
    with txn.cursor(db=table) as cursor:
        past = [key for key, value in cursor if _instant_ms(value) < before_ms]
    for key in past:
        txn.delete(key, db=table)


def open_store(place: Place, profile: Profile, policy: Policy) -> LmdbStore:
    """Open the store on a folder."""
    return LmdbStore(place.directory, policy, profile.capabilities)


BACKEND = Backend(
    name="lmdb",
    title="LMDB",
    summary="a memory-mapped B+tree in one file",
    profiles={
        "sync": Profile(
            name="sync",
            summary="on disk before the answer",
            capabilities=Capabilities(shared_by_hosts=APART, native_ttl=NO_TTL),
        ),
        "nosync": Profile(
            name="nosync",
            summary="left to the kernel's page cache",
            capabilities=Capabilities(
                survives_power_cut=No("the kernel writes pages back when it likes"),
                shared_by_hosts=APART,
                native_ttl=NO_TTL,
            ),
        ),
    },
    open=open_store,
    drivers=("lmdb",),
    control_profile="nosync",
)
