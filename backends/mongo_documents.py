"""Sessions as MongoDB documents."""

import time
from typing import Any

from bson.datetime_ms import DatetimeMS

from backends.store import Family, Reason, Session

SKEW_MS = 3_600_000
"""What the TTL reclaims is past by this: our wall clock and the server's may differ by as much."""

Document = dict[str, Any]


def wall_ms() -> int:
    """Give the time by this machine's clock, in ms since the Unix epoch."""
    return time.time_ns() // 1_000_000


def reclaim_at(remaining_ms: int) -> DatetimeMS:
    """Give the date from which something that lives for `remaining_ms` may be reclaimed.

    What remains is by the caller's clock, "now" by ours, which the server's is close to.
    """
    return DatetimeMS(wall_ms() + max(remaining_ms, 0) + SKEW_MS)


def session_id(family: Family) -> Document:
    """Give a session's `_id`. MongoDB compares it as a whole: the order of its fields matters."""
    return {"subject": family.subject, "family": family.id}


def to_document(session: Session) -> Document:
    """Give a session's document."""
    last_ms = max(session.idle_expires_at_ms, session.absolute_expires_at_ms)
    return {
        "_id": session_id(session.family),
        "client": session.client,
        "device": session.device,
        "issued_at_ms": session.issued_at_ms,
        "idle_expires_at_ms": session.idle_expires_at_ms,
        "absolute_expires_at_ms": session.absolute_expires_at_ms,
        "digest": session.digest,
        "generation": session.generation,
        "predecessor_digest": session.predecessor_digest,
        "rotated_at_ms": session.rotated_at_ms,
        "grace_until_ms": session.grace_until_ms,
        "revoked_at_ms": session.revoked_at_ms,
        "revoked_reason": session.revoked_reason and session.revoked_reason.value,
        "reclaim_at": reclaim_at(last_ms - session.issued_at_ms),
    }


def to_session(found: Document) -> Session:
    """Read a session's document."""
    reason = found["revoked_reason"]
    return Session(
        family=Family(found["_id"]["subject"], found["_id"]["family"]),
        client=found["client"],
        device=found["device"],
        issued_at_ms=found["issued_at_ms"],
        idle_expires_at_ms=found["idle_expires_at_ms"],
        absolute_expires_at_ms=found["absolute_expires_at_ms"],
        digest=found["digest"],
        generation=found["generation"],
        predecessor_digest=found["predecessor_digest"],
        rotated_at_ms=found["rotated_at_ms"],
        grace_until_ms=found["grace_until_ms"],
        revoked_at_ms=found["revoked_at_ms"],
        revoked_reason=None if reason is None else Reason(reason),
    )
