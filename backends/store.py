"""The refresh-store interface: its operations, and how a way to keep tokens is registered.

Whoever writes a store imports from here alone: the values that go in and out (`session.py`) and
what a store declares (`capabilities.py`) are part of the interface.

A store's own clock may reclaim space; it is never trusted to refuse a token: `now_ms` is the
caller's.

The smallest store is a `RefreshStore`. What a store may lack is an ability of its own, `Revokes`,
`Lists`, `Sweeps`, `Loads`, `Configured`, `Checks`: a store that can't simply doesn't have the
methods, and says why in its `Capabilities`. Every store is safe to use from many threads at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from backends.capabilities import Bound, Capabilities, Durability, No
from backends.session import (
    Family,
    Outcome,
    Policy,
    Reason,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)

__all__ = [
    "Backend",
    "Bound",
    "Capabilities",
    "Checks",
    "Configured",
    "Durability",
    "Family",
    "Lists",
    "Loads",
    "No",
    "Outcome",
    "Place",
    "Policy",
    "Profile",
    "Reason",
    "RefreshStore",
    "Revokes",
    "Rotation",
    "Session",
    "Successor",
    "Sweeps",
    "Token",
    "Topology",
    "Verification",
]


class RefreshStore(Protocol):
    """What every store can do. None of these raises for a refused token."""

    @property
    def capabilities(self) -> Capabilities:
        """What this store, in this profile, can be relied on for."""

    def issue(self, session: Session) -> None:
        """Store a new session at generation 0, acknowledged as durably as the profile promises.

        A session whose `issued_at_ms` is at or before the subject's last `revoke_subject` is stored
        revoked, whatever order the two arrive in. Must not overwrite an existing family.
        """

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge `token` at `now_ms`. A pure read: must not move an expiry, rotate or revoke."""

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace `token` by `successor`, atomically: of any number of racers exactly one wins.

        An authentic old token kills the family, and that death is committed. Must not retry by
        itself: a retried rotation whose answer was lost looks like theft.
        """

    def close(self) -> None:
        """Release what this store opened. Idempotent. Must not destroy the data."""


@runtime_checkable
class Revokes(Protocol):
    """A store that can take a token back before it expires."""

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session. Idempotent, keeps the first reason; unknown is fine (RFC 7009 §2.2)."""

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End a subject's sessions but `except_family`; no issue or rotate in flight survives."""

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist; the entry must outlive `until_ms`, the token's expiry."""

    def is_denied(self, digest: bytes) -> bool:
        """Whether the digest is on the denylist."""


@runtime_checkable
class Lists(Protocol):
    """A store that can say which sessions a subject has."""

    def sessions(self, subject: str) -> Sequence[Session]:
        """Every session of `subject` still stored, ended ones included, in no set order."""


@runtime_checkable
class Sweeps(Protocol):
    """A store that needs, or allows, its expired sessions to be removed by the application."""

    def sweep(self, now_ms: int, limit: int) -> int:
        """Remove at most `limit` sessions expired at `now_ms` (and denials past); return how many.

        Must not remove what is alive or what reuse detection still needs: a session goes only when
        its idle expiry has passed, since by then every token of it has expired too.
        """


@runtime_checkable
class Loads(Protocol):
    """A store with a faster way to take many sessions in than `issue` one by one.

    No store needs it: one without is filled by many clients that issue at the same time.
    """

    def load(self, sessions: Iterable[Session]) -> int:
        """Leave the state that `issue` of each would leave; give how many of them were new.

        Acknowledged as durably as the profile promises, all of them when it returns. For filling a
        store: an error, or a crash, leaves any part of them stored, so begin again with an empty
        one. Must not overwrite a family, nor hold more of `sessions` at a time than one batch.
        """


@runtime_checkable
class Configured(Protocol):
    """A store whose durability is a setting that can be read back."""

    def settings(self) -> Mapping[str, str]:
        """Read the settings that decide durability from the server or connection, now."""


@runtime_checkable
class Checks(Protocol):
    """A store inside the application's process that can check what it keeps."""

    def damage(self) -> str | None:
        """Read all that is kept: None if it is whole, otherwise what isn't. Must mend nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named durability setting of a backend."""

    name: str
    summary: str
    capabilities: Capabilities
    server: Mapping[str, str] = field(default_factory=dict)
    """Settings given to the server when it starts, and read back from it before measuring."""
    client: Mapping[str, str] = field(default_factory=dict)
    """Settings the store applies to its own connections or files, and reads back."""
    held_by_client: bool = False

    @property
    def durability(self) -> Durability:
        """The class in which this profile may be ranked."""
        can = self.capabilities
        if self.held_by_client:
            return Durability.CLIENT
        if can.survives_power_cut:
            return Durability.POWER_CUT
        if can.survives_crash:
            return Durability.CRASH
        return Durability.RESTART if can.survives_restart else Durability.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Several servers in place of one, and what they are told about each other."""

    name: str
    summary: str
    layout: str
    """Which servers it has, as `bench.servers` knows how to start and join them. Topologies that
    differ in their settings alone share one."""
    survives_failover: Mapping[str, Literal[True] | No]
    """By profile: every acknowledged write is there when another server has taken over. A profile
    that isn't named can't be had in this topology."""
    server: Mapping[str, str] = field(default_factory=dict)
    """Settings of the servers, over those of the profile; read back before measuring."""
    client: Mapping[str, str] = field(default_factory=dict)
    """Settings that the store applies itself, over those of the profile."""
    replica_reads: bool = True
    """Whether an app instance can read from a replica."""

    def lacking(self, profile: str) -> Mapping[str, str]:
        """Name of the capability that it lacks in `profile` -> the declared reason."""
        declared = self.survives_failover[profile]
        return {"survives_failover": declared.reason} if isinstance(declared, No) else {}

    def over(self, profile: Profile) -> Profile:
        """Give the profile as it is in this topology."""
        return replace(
            profile,
            server={**profile.server, **self.server},
            client={**profile.client, **self.client},
        )


class Place(NamedTuple):
    """Where a store's data lives."""

    directory: Path
    """A folder of the store's own; stores without a server keep their data here."""
    url: str | None = None
    """How to reach the server, for a backend that names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One way to keep refresh tokens: how to make a place ready, and open a store on it."""

    name: str
    title: str
    """As printed in reports."""
    summary: str
    profiles: Mapping[str, Profile]
    """By name; the first is the default."""
    open: Callable[[Place, Profile, Policy], RefreshStore]
    """One store a process, shared by its threads."""
    prepare: Callable[[Place, Profile], None] | None = None
    """Makes a fresh place ready, once: tables, indexes."""
    server: str | None = None
    """The kind of server it needs ("redis", "postgres", "mongo"); None for a store in process."""
    topologies: Mapping[str, Topology] = field(default_factory=dict)
    """By name; without one it is a single server."""
    drivers: tuple[str, ...] = ()
    """Distributions whose versions belong in the record."""
    control_profile: str | None = None
    """The positive control of the other profiles: it loses by nearly every fault that it isn't
    declared to survive, and is run beside them so that their zeros mean something. None: each
    loses like that, or none does."""
    naive_backend: str | None = None
    """The positive control of its races: the backend that reads, decides and writes back on the
    same kind of store, in the same profiles. None: there is none."""
    naive: bool = False
    """Reads, decides and writes back, as many do: it shows that a race can be lost, and is nothing
    to be recommended. It is compared with nobody."""

    def __post_init__(self) -> None:
        if not self.profiles:
            raise ValueError(f"backend {self.name} needs at least one profile")
        if self.control_profile is not None and self.control_profile not in self.profiles:
            raise ValueError(
                f"backend {self.name} has no profile {self.control_profile!r} to be its control"
            )
