"""A rotation as an update pipeline: what `after_rotate` in lifecycle.py commits, in the server.

The command gives back the document as it was before. From that the caller decides the outcome with
`after_rotate` itself; here stands only which of three changes is made, if any. Where nothing
changes the server writes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from backends.store import Policy, Reason, Successor, Token

Expression = Mapping[str, Any]


def rotation(
    token: Token, successor: Successor, device: str, policy: Policy, now_ms: int
) -> Sequence[Expression]:
    """Give the pipeline that replaces `token` by `successor`, or ends the session, or neither."""
    ended_or_expired = {
        "$or": [
            {"$ne": ["$revoked_at_ms", None]},
            {"$gte": [now_ms, "$idle_expires_at_ms"]},
            {"$gte": [now_ms, "$absolute_expires_at_ms"]},
        ]
    }
    current = {
        "$and": [{"$eq": ["$generation", token.generation]}, {"$eq": ["$digest", token.digest]}]
    }
    predecessor = {
        "$and": [
            {"$eq": ["$generation", token.generation + 1]},
            {"$eq": ["$predecessor_digest", token.digest]},
        ]
    }
    older = {"$gt": ["$generation", token.generation + 1]}
    after_grace = {"$and": [predecessor, {"$gte": [now_ms, "$grace_until_ms"]}]}
    # Without $literal a device such as "$digest" would be read as the path of a field.
    same_device = {"$eq": ["$device", {"$literal": device}]}
    changes = [
        (ended_or_expired, {}),
        ({"$or": [older, after_grace]}, _revoked(Reason.REUSE, now_ms)),
        (
            {"$and": [current, same_device]},
            {
                "generation": token.generation + 1,
                "digest": successor.digest,
                "predecessor_digest": token.digest,
                "idle_expires_at_ms": {
                    "$min": [successor.idle_expires_at_ms, "$absolute_expires_at_ms"]
                },
                "rotated_at_ms": now_ms,
                "grace_until_ms": now_ms + policy.grace_ms if policy.grace_ms else 0,
            },
        ),
    ]
    if policy.revoke_on_device_mismatch:
        # The right device with the current token has left by the branch above, and a predecessor
        # that comes this far is in its grace.
        wrong_device = {"$and": [{"$or": [current, predecessor]}, {"$not": [same_device]}]}
        changes.append((wrong_device, _revoked(Reason.DEVICE, now_ms)))
    branches = [
        {"case": condition, "then": {"$mergeObjects": ["$$ROOT", change]}}
        for condition, change in changes
    ]
    return [{"$replaceWith": {"$switch": {"branches": branches, "default": "$$ROOT"}}}]


def _revoked(reason: Reason, now_ms: int) -> Expression:
    return {"revoked_at_ms": now_ms, "revoked_reason": reason.value}
