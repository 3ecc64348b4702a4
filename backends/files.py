"""Local files: one JSON file a session, replaced as a whole by rename(2).

A subject's operations take turns under one of 256 locks, between threads as between processes;
`verify` takes none. `backends.session_files` says what is kept where.

`fsync` acknowledges once the file *and* its name are on disk. `nofsync` leaves both to the
kernel, which keeps them when the process dies and loses up to 30 s of them when the power does.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from backends.atomic_files import exists, replace, require, sync_everything, sync_folder
from backends.batches import batches
from backends.errors import AnswerLost, NotSent, StoreRefused
from backends.lifecycle import after_rotate, answer, judge, revoked
from backends.session_files import (
    REVOKED,
    SHARDS,
    Folder,
    damaged_session,
    denial_name,
    instant_content,
    make_shards,
    session_content,
    session_name,
    sweep_shard,
)
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

APART = No("each host has a disk of its own")
NO_TTL = No("a file stays until the application sweeps it")

BOUND = Bound(
    1_000_000,
    "a session is a file and a subject a folder: ten million are more inodes than most disks have",
)
SYNCED = Capabilities(shared_by_hosts=APART, native_ttl=NO_TTL, bound=BOUND)
UNSYNCED = Capabilities(
    survives_power_cut=No("the kernel writes files back when it likes, up to 30 s later"),
    shared_by_hosts=APART,
    native_ttl=NO_TTL,
    bound=BOUND,
)

LOADED_AT_ONCE = 1_000
"""Sessions a wait for the disk: half a second's work, against a few ms of waiting."""

P = ParamSpec("P")
T = TypeVar("T")


def _answering(
    operation: Callable[Concatenate["FilesStore", P], T],
) -> Callable[Concatenate["FilesStore", P], T]:
    """Turn what the file system says into the store's errors; nothing was executed by then."""

    @functools.wraps(operation)
    def answer(self: "FilesStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(self, *args, **kwargs)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotSent(f"{self.directory} isn't there, or was never prepared") from error
        except OSError as error:
            raise StoreRefused(f"{error.strerror}: {error.filename or self.directory}") from error

    return answer


class FilesStore:
    """Sessions as files in folders of their subjects."""

    def __init__(self, directory: Path, policy: Policy, capabilities: Capabilities) -> None:
        self.directory = str(directory)
        self.capabilities = capabilities
        self._policy = policy
        self._fsync = bool(capabilities.survives_power_cut)

    @_answering
    def issue(self, session: Session) -> None:
        """Store a new session."""
        folder = Folder.of_subject(self.directory, session.family.subject)
        with folder.locked():
            self._add(folder, session, fsync=self._fsync)
            self._acknowledge(folder)

    @_answering
    def load(self, sessions: Iterable[Session]) -> int:
        """Store many new sessions: with `fsync`, what a batch wrote is on disk when it ends.

        A power cut before that may leave the name of a file and not yet its content.
        """
        added = 0
        for batch in batches(sessions, LOADED_AT_ONCE):
            for session in batch:
                folder = Folder.of_subject(self.directory, session.family.subject)
                with folder.locked():
                    added += self._add(folder, session, fsync=False)
            if self._fsync:
                sync_everything(self.directory)
        return added

    @_answering
    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token, without a lock: the file is whole whenever it is read."""
        folder = Folder.of_subject(self.directory, token.family.subject)
        session = folder.session(session_name(token.family))
        if session is None:
            # A store that is gone must not pass for a session that never was.
            require(folder.shard)
        return Verification(judge(session, token, device, now_ms), session)

    @_answering
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        folder = Folder.of_subject(self.directory, token.family.subject)
        name = session_name(token.family)
        with folder.locked():
            session = folder.session(name)
            if session is None:
                return Rotation(Outcome.UNKNOWN)
            outcome, after = after_rotate(session, token, successor, device, self._policy, now_ms)
            if after is not session:
                self._write(folder, name, session_content(after))
                self._acknowledge(folder)
        return answer(outcome, after)

    @_answering
    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        folder = Folder.of_subject(self.directory, family.subject)
        with folder.locked():
            if self._revoke(folder, session_name(family), reason, now_ms):
                self._acknowledge(folder)

    @_answering
    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one."""
        folder = Folder.of_subject(self.directory, subject)
        spared = None if except_family is None else session_name(Family(subject, except_family))
        with folder.locked():
            folder.make(fsync=self._fsync)
            before_ms = folder.instant_ms(REVOKED)
            ended_at_ms = now_ms if before_ms is None else max(now_ms, before_ms)
            self._write(folder, REVOKED, instant_content(ended_at_ms))
            try:
                for name in folder.session_names():
                    # A damaged file is refused to everyone; it must not save the others.
                    with suppress(StoreRefused):
                        if name != spared:
                            self._revoke(folder, name, reason, now_ms)
            except OSError as error:
                raise AnswerLost(f"some sessions may not be revoked: {error}") from error
            self._acknowledge(folder)

    @_answering
    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        name = denial_name(digest)
        folder = Folder.of_denial(self.directory, name)
        with folder.locked():
            before_ms = folder.instant_ms(name)
            longest_ms = until_ms if before_ms is None else max(until_ms, before_ms)
            self._write(folder, name, instant_content(longest_ms))
            self._acknowledge(folder)

    @_answering
    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        name = denial_name(digest)
        folder = Folder.of_denial(self.directory, name)
        denied = exists(f"{folder.path}/{name}")
        if not denied:
            require(folder.path)
        return denied

    @_answering
    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions. Raises StoreRefused if one of them can't be read."""
        folder = Folder.of_subject(self.directory, subject)
        with folder.locked():
            # A name that is replaced while the folder is listed might be passed over.
            names = folder.session_names()
        found = map(folder.session, names)
        return [session for session in found if session is not None]

    @_answering
    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove expired sessions and past denials.

        Reads sessions until it has found `limit` expired ones. Also removes what dead writers left
        and folders with no session; leaves files that can't be read, as evidence.
        """
        removed = 0
        for name in SHARDS:
            removed += sweep_shard(f"{self.directory}/{name}", now_ms, limit - removed)
        return removed

    def settings(self) -> Mapping[str, str]:
        """Say whether this store waits for the disk."""
        return {"fsync": "on" if self._fsync else "off"}

    @_answering
    def damage(self) -> str | None:
        """Parse every session's file."""
        return damaged_session(self.directory)

    def close(self) -> None:
        """Nothing stays open between operations."""

    def _add(self, folder: Folder, session: Session, *, fsync: bool) -> bool:
        """Write a session unless it is there, under the lock; say whether it is new."""
        name = session_name(session.family)
        folder.make(fsync=fsync)
        ended_at_ms = folder.instant_ms(REVOKED)
        if ended_at_ms is not None and session.issued_at_ms <= ended_at_ms:
            session = revoked(session, Reason.SUBJECT, ended_at_ms)
        if exists(f"{folder.path}/{name}"):
            return False
        replace(folder.path, name, session_content(session), fsync=fsync)
        return True

    def _write(self, folder: Folder, name: str, content: bytes) -> None:
        replace(folder.path, name, content, fsync=self._fsync)

    def _revoke(self, folder: Folder, name: str, reason: Reason, now_ms: int) -> bool:
        session = folder.session(name)
        if session is None:
            return False
        after = revoked(session, reason, now_ms)
        if after is not session:
            self._write(folder, name, session_content(after))
        return True

    def _acknowledge(self, folder: Folder) -> None:
        """Have the names in a folder on disk, even those of a writer that died before this."""
        if not self._fsync:
            return
        try:
            sync_folder(folder.path)
        except OSError as error:
            raise AnswerLost(f"written, perhaps not on disk: {error.strerror}") from error


def prepare(place: Place, profile: Profile) -> None:
    """Make the shards and their locks. Raises StoreRefused."""
    try:
        make_shards(str(place.directory), fsync=bool(profile.capabilities.survives_power_cut))
    except OSError as error:
        raise StoreRefused(f"{error.strerror}: {error.filename or place.directory}") from error


def open_store(place: Place, profile: Profile, policy: Policy) -> FilesStore:
    """Open the store on a prepared directory."""
    return FilesStore(place.directory, policy, profile.capabilities)


BACKEND = Backend(
    name="files",
    title="Local files",
    summary="one file a session on the local disk",
    profiles={
        "fsync": Profile(
            name="fsync",
            summary="file and name are on disk before the answer",
            capabilities=SYNCED,
            client={"fsync": "on"},
        ),
        "nofsync": Profile(
            name="nofsync",
            summary="left to the kernel's page cache",
            capabilities=UNSYNCED,
            client={"fsync": "off"},
        ),
    },
    open=open_store,
    control_profile="nofsync",
    naive_backend="files-naive",
    prepare=prepare,
)
