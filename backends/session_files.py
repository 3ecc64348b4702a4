"""What the files store keeps where: names, contents, and what may be swept.

    <directory>/<ab>/lock               guards everything beside it; never removed
    <directory>/<ab>/denied/<digest>    the denylist: until when
    <directory>/<ab>/<subject>/         one folder a subject, named by SHA-256 of it ("ab…")
        <family>.json                   one session, named by SHA-256 of its id
        revoked                         when the subject was last revoked, kept for an hour

Names are digests, so that any string will do as a subject or family id. Functions raise OSError,
and StoreRefused for a file that can't be understood. Paths are strings: building a `Path` costs as
much as the system call.
"""
# ruff: noqa: PTH102, PTH103, PTH108, PTH106, PTH208

import json
import os
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from backends.atomic_files import TEMPORARY, Locked, is_empty, read, remove, sync_folder
from backends.errors import StoreRefused
from backends.memory import LATEST_ISSUE_MS
from backends.store import Family, Reason, Session

SHARDS = tuple(f"{number:02x}" for number in range(256))
LOCK = "lock"
DENIED = "denied"
REVOKED = "revoked"
SESSION = ".json"


class Folder(NamedTuple):
    """A folder and the shard whose lock guards it."""

    shard: str
    path: str

    @classmethod
    def of_subject(cls, directory: str, subject: str) -> "Folder":
        """Give the folder of a subject's sessions, which may not exist yet."""
        name = sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
        shard = f"{directory}/{name[:2]}"
        return cls(shard, f"{shard}/{name}")

    @classmethod
    def of_denial(cls, directory: str, name: str) -> "Folder":
        """Give the folder of the denial called `name`."""
        shard = f"{directory}/{name[:2]}"
        return cls(shard, f"{shard}/{DENIED}")

    def locked(self) -> Locked:
        """Give the lock, to be entered."""
        return Locked(f"{self.shard}/{LOCK}")

    def make(self, *, fsync: bool) -> None:
        """Make it unless it is there, as durable as what will be put into it. Under the lock."""
        try:
            os.mkdir(self.path, 0o700)
        except FileExistsError:
            # Whoever made it may have died before its name was on disk; with content, it is.
            if not fsync or not is_empty(self.path):
                return
        if fsync:
            sync_folder(self.shard)

    def session_names(self) -> list[str]:
        """List its session files; none if there is no such folder."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        return [name for name in names if name.endswith(SESSION)]

    def session(self, name: str) -> Session | None:
        """Read a session file; None if there is none."""
        path = f"{self.path}/{name}"
        content = read(path)
        if content is None:
            return None
        try:
            return _session(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreRefused(f"damaged session file {path}: {error}") from error

    def instant_ms(self, name: str) -> int | None:
        """Read a file that holds an instant; None if there is none."""
        path = f"{self.path}/{name}"
        content = read(path)
        try:
            return None if content is None else int(content)
        except ValueError as error:
            raise StoreRefused(f"damaged file {path}: {error}") from error


def make_shards(directory: str, *, fsync: bool) -> None:
    """Make what every subject's folder needs around it, where it isn't there."""
    os.makedirs(directory, exist_ok=True)
    for name in SHARDS:
        shard = f"{directory}/{name}"
        os.makedirs(f"{shard}/{DENIED}", mode=0o700, exist_ok=True)
        os.close(os.open(f"{shard}/{LOCK}", os.O_RDWR | os.O_CREAT, 0o600))
        if fsync:
            sync_folder(shard)
    if fsync:
        sync_folder(directory)


def session_name(family: Family) -> str:
    """Give the name of a session's file in its subject's folder."""
    return sha256(family.id.encode("utf-8", "surrogatepass")).hexdigest() + SESSION


def denial_name(digest: bytes) -> str:
    """Give the name of a denial's file."""
    return sha256(digest).hexdigest()


def session_content(session: Session) -> bytes:
    """Give the content of a session's file: one JSON object."""
    return json.dumps(
        {
            "subject": session.family.subject,
            "id": session.family.id,
            "client": session.client,
            "device": session.device,
            "issued_at_ms": session.issued_at_ms,
            "idle_expires_at_ms": session.idle_expires_at_ms,
            "absolute_expires_at_ms": session.absolute_expires_at_ms,
            "digest": session.digest.hex(),
            "generation": session.generation,
            "predecessor_digest": session.predecessor_digest.hex(),
            "rotated_at_ms": session.rotated_at_ms,
            "grace_until_ms": session.grace_until_ms,
            "revoked_at_ms": session.revoked_at_ms,
            "revoked_reason": session.revoked_reason,
        }
    ).encode()


def instant_content(instant_ms: int) -> bytes:
    """Give the content of a file that holds an instant."""
    return b"%d" % instant_ms


def sweep_shard(shard: str, now_ms: int, limit: int) -> int:
    """Remove at most `limit` expired sessions of one shard, and all its past denials."""
    _sweep_denials(Folder(shard, f"{shard}/{DENIED}"), now_ms)
    removed = 0
    for name in os.listdir(shard):
        if removed >= limit:
            break
        if name not in {LOCK, DENIED}:
            removed += _sweep_subject(Folder(shard, f"{shard}/{name}"), now_ms, limit - removed)
    return removed


def damaged_session(directory: str) -> str | None:
    """Say which is the first session file that can't be read; None if all can."""
    for shard in SHARDS:
        for name in os.listdir(f"{directory}/{shard}"):
            if name not in {LOCK, DENIED}:
                folder = Folder(f"{directory}/{shard}", f"{directory}/{shard}/{name}")
                try:
                    for session in folder.session_names():
                        folder.session(session)
                except StoreRefused as error:
                    return str(error)
    return None


def _sweep_subject(folder: Folder, now_ms: int, limit: int) -> int:
    # Looks without the lock first: a folder with nothing to remove then costs its writers nothing.
    try:
        names = os.listdir(folder.path)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    sessions = [name for name in names if name.endswith(SESSION)]
    found = list(islice((one for one in sessions if _expired(folder, one, now_ms)), limit))
    if names and not found and TEMPORARY not in names and not _forgettable(folder, now_ms):
        return 0
    with folder.locked():
        # Rotated since, perhaps.
        expired = [name for name in found if _expired(folder, name, now_ms)]
        for name in expired:
            os.unlink(f"{folder.path}/{name}")
        remove(f"{folder.path}/{TEMPORARY}")
        if _forgettable(folder, now_ms):
            remove(f"{folder.path}/{REVOKED}")
        with suppress(OSError):
            os.rmdir(folder.path)
    return len(expired)


def _sweep_denials(folder: Folder, now_ms: int) -> None:
    names = os.listdir(folder.path)
    if not names:
        return
    with folder.locked():
        remove(f"{folder.path}/{TEMPORARY}")
        for name in names:
            with suppress(StoreRefused):
                until_ms = folder.instant_ms(name)
                if until_ms is not None and until_ms < now_ms:
                    remove(f"{folder.path}/{name}")


def _expired(folder: Folder, name: str, now_ms: int) -> bool:
    with suppress(StoreRefused):
        session = folder.session(name)
        return session is not None and session.idle_expires_at_ms <= now_ms
    return False


def _forgettable(folder: Folder, now_ms: int) -> bool:
    """Whether the subject's revocation is older than any issue still in flight."""
    with suppress(StoreRefused):
        ended_at_ms = folder.instant_ms(REVOKED)
        return ended_at_ms is not None and ended_at_ms + LATEST_ISSUE_MS < now_ms
    return False


def _session(content: bytes) -> Session:
    raw = json.loads(content)
    reason = raw["revoked_reason"]
    return Session(
        family=Family(raw["subject"], raw["id"]),
        client=raw["client"],
        device=raw["device"],
        issued_at_ms=raw["issued_at_ms"],
        idle_expires_at_ms=raw["idle_expires_at_ms"],
        absolute_expires_at_ms=raw["absolute_expires_at_ms"],
        digest=bytes.fromhex(raw["digest"]),
        generation=raw["generation"],
        predecessor_digest=bytes.fromhex(raw["predecessor_digest"]),
        rotated_at_ms=raw["rotated_at_ms"],
        grace_until_ms=raw["grace_until_ms"],
        revoked_at_ms=raw["revoked_at_ms"],
        revoked_reason=None if reason is None else Reason(reason),
    )
