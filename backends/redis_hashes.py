"""Sessions as Redis hashes, and the names of the keys.

    rt:{TAG}:FAMILY    a session's fields
    rt:{TAG}           the subject's index: a set of family ids
    rt-ended:{TAG}     when the subject's sessions were last ended, for issues still on their way
    rt-denied:DIGEST   an entry of the denylist

TAG is a digest of the subject, which may be long or hold braces. As a hash tag it keeps all keys
of a subject in one slot, so that the scripts run on a cluster; and no key tells who it is.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from backends.store import Family, Reason, Session

FIELDS = (
    "generation",
    "client",
    "device",
    "issued",
    "idle_expires",
    "absolute_expires",
    "digest",
    "predecessor",
    "rotated",
    "grace_until",
    "revoked",
    "reason",
)
"""Of a hash; a field that is not yet set isn't there. A session that exists has a generation."""


def _tag(subject: str) -> str:
    return hashlib.blake2b(subject.encode(), digest_size=20).hexdigest()


def index_key(subject: str) -> str:
    """Name the set of a subject's family ids."""
    return f"rt:{{{_tag(subject)}}}"


def session_key(family: Family) -> str:
    """Name a session's hash; the scripts make it from the index's name and the family id."""
    return f"{index_key(family.subject)}:{family.id}"


def ended_key(subject: str) -> str:
    """Name what remembers when a subject's sessions were last ended."""
    return f"rt-ended:{{{_tag(subject)}}}"


def denied_key(digest: bytes) -> bytes:
    """Name an entry of the denylist."""
    return b"rt-denied:" + digest


def to_hash(session: Session) -> Sequence[str | bytes | int]:
    """Give a session's fields that are set, name and value by turns."""
    values = (
        session.generation,
        session.client,
        session.device,
        session.issued_at_ms,
        session.idle_expires_at_ms,
        session.absolute_expires_at_ms,
        session.digest,
        session.predecessor_digest or None,
        session.rotated_at_ms,
        session.grace_until_ms or None,
        session.revoked_at_ms,
        session.revoked_reason,
    )
    fields = zip(FIELDS, values, strict=True)
    return [part for name, value in fields if value is not None for part in (name, value)]


def to_session(family: Family, values: Sequence[Any]) -> Session:
    """Read a session from the values of `FIELDS`; those not set are None."""
    (
        generation,
        client,
        device,
        issued,
        idle_expires,
        absolute_expires,
        digest,
        predecessor,
        rotated,
        grace_until,
        revoked,
        reason,
    ) = values
    return Session(
        family=family,
        client=client.decode(),
        device=device.decode(),
        issued_at_ms=int(issued),
        idle_expires_at_ms=int(idle_expires),
        absolute_expires_at_ms=int(absolute_expires),
        digest=digest,
        generation=int(generation),
        predecessor_digest=predecessor or b"",
        rotated_at_ms=None if rotated is None else int(rotated),
        grace_until_ms=int(grace_until or 0),
        revoked_at_ms=None if revoked is None else int(revoked),
        revoked_reason=None if reason is None else Reason(reason.decode()),
    )
