"""What a store is asked about, and what it answers.

A login opens a *session* (a token family, RFC 9700 §4.14.2). Each refresh replaces the session's
current token by its successor, one generation on. A store keeps one row a session and never a raw
token: it keeps SHA-256 of the random `jti`.

Instants are integer milliseconds since the Unix epoch, by the *caller's* clock.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What a store says of a presented token."""

    VALID = "valid"
    """`verify` only: the current token of a live session."""
    ROTATED = "rotated"
    """`rotate` only: this caller won; the successor is now the current token."""
    GRACE = "grace"
    """The immediate predecessor, inside the window fixed at the rotation."""
    UNKNOWN = "unknown"
    """No such session, or a token this session never had."""
    EXPIRED = "expired"
    """At or after the session's idle or absolute expiry (RFC 7519 §4.1.4: "on or after")."""
    REVOKED = "revoked"
    """The session was ended before: by logout, by reuse, by an administrator."""
    REUSED = "reused"
    """An authentic token that was rotated away before; `rotate` has killed the family."""
    DEVICE_MISMATCH = "device_mismatch"
    """The right token from another device than the one it was issued to."""


class Reason(StrEnum):
    """Why a session was revoked."""

    LOGOUT = "logout"
    REUSE = "reuse"
    DEVICE = "device"
    SUBJECT = "subject"
    ADMIN = "admin"


class Family(NamedTuple):
    """Names one session. Both parts travel in the token, so a store can shard by subject."""

    subject: str
    id: str


class Token(NamedTuple):
    """A presented refresh token whose signature was already checked: its claims, never its text."""

    family: Family
    generation: int
    digest: bytes
    """SHA-256 of the token's `jti`, 32 bytes."""
    expires_at_ms: int
    """The token's own `exp`: the session's idle expiry when the token was minted."""
    absolute_expires_at_ms: int
    device: str
    """The device thumbprint it was issued to; a store that keeps state has its own copy."""


class Successor(NamedTuple):
    """The token that takes over: what the caller proposes, and what stands after a rotation."""

    digest: bytes
    idle_expires_at_ms: int
    """A store clamps it to the session's absolute expiry."""


class Rotation(NamedTuple):
    """The answer of `rotate`. `successor` is set for ROTATED and GRACE alone."""

    outcome: Outcome
    successor: Successor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One token family as a store holds it."""

    family: Family
    client: str
    device: str
    issued_at_ms: int
    idle_expires_at_ms: int
    """Moves at each rotation, never past `absolute_expires_at_ms`."""
    absolute_expires_at_ms: int
    """Never moves."""
    digest: bytes
    """SHA-256 of the current token's `jti`."""
    generation: int = 0
    predecessor_digest: bytes = b""
    """Digest of generation - 1; empty at generation 0. Needed for grace alone."""
    rotated_at_ms: int | None = None
    grace_until_ms: int = 0
    """The predecessor is accepted strictly before this instant; 0 means never."""
    revoked_at_ms: int | None = None
    revoked_reason: Reason | None = None


class Verification(NamedTuple):
    """The answer of `verify`. `session` is None only where the store holds no such family."""

    outcome: Outcome
    session: Session | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a deployment decides; a store applies it inside its atomic step."""

    grace_ms: int = 0
    """How long the immediate predecessor stays acceptable after a rotation."""
    revoke_on_device_mismatch: bool = False
