"""Redis: a hash a session, and one Lua script an operation, so that each is atomic and one trip.

Redis reclaims what has expired by its own clock. So a TTL is never an instant but what remains by
the caller's clock, and a margin: a caller whose clock is behind the server's loses nothing.

Needs Redis 7: the scripts say by flags what they may do when memory is full or data can't change.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby, islice
from typing import Any, NamedTuple

from backends.batches import batches
from backends.lifecycle import judge
from backends.memory import LATEST_ISSUE_MS
from backends.redis_cluster import SCHEME as CLUSTER
from backends.redis_cluster import ClusterConnections
from backends.redis_connections import Command, Connections, Exchanges, NoScript
from backends.redis_copies import CopiedConnections
from backends.redis_hashes import (
    FIELDS,
    denied_key,
    ended_key,
    index_key,
    session_key,
    to_session,
)
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
    Topology,
    Verification,
)

SKEW_MS = 60_000
"""A session outlasts its idle expiry by this: callers' clocks may differ by as much."""
DENIAL_MARGIN_MS = 3_600_000
"""A denial is told an instant alone; what remains is by our wall clock, hence the wide margin."""

LOADED_AT_ONCE = 2_000
"""Sessions sent before the answers are read: their answers fit into any socket's buffer."""
LOADED_BY_ONE_SCRIPT = 100

OUTCOMES = {outcome.encode(): outcome for outcome in Outcome}


class Script(NamedTuple):
    """A Lua script, and the name under which the server caches it."""

    sha: str
    source: str


def _script(name: str) -> Script:
    source = resources.files("backends").joinpath(f"{name}.lua").read_text(encoding="utf-8")
    return Script(hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest(), source)


ISSUE = _script("issue")
ROTATE = _script("rotate")
REVOKE = _script("revoke")
REVOKE_SUBJECT = _script("revoke_subject")
SESSIONS = _script("sessions")
DENY = _script("deny")


class RedisStore:
    """Sessions in Redis. It has no `sweep`: Redis reclaims sessions, denials and indexes itself."""

    def __init__(self, url: str, profile: Profile, policy: Policy) -> None:
        self._connections = self.connect(url, profile)
        self._profile = profile
        self._policy = policy

    def connect(self, url: str, profile: Profile) -> Exchanges:
        """Give the way its commands get to the server."""
        if url.startswith(f"{CLUSTER}:"):
            return ClusterConnections(url)
        copies = int(profile.client.get("wait", 0))
        return CopiedConnections(url, copies) if copies else Connections(url)

    @property
    def capabilities(self) -> Capabilities:
        """What the profile can be relied on for."""
        return self._profile.capabilities

    def issue(self, session: Session) -> None:
        """Store a new session."""
        self._run(ISSUE, *_issued([session]))

    def load(self, sessions: Iterable[Session]) -> int:
        """Store many new sessions: those of a subject that come together are one script's work."""
        added = 0
        for batch in batches(sessions, LOADED_AT_ONCE):
            commands = issuing(batch)
            try:
                answers = self._connections.exchange_all(commands)
            except NoScript:
                self._connections.exchange("SCRIPT", "LOAD", ISSUE.source)
                answers = self._connections.exchange_all(commands)
            added += sum(answers)
        return added

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token."""
        values = self._connections.exchange("HMGET", session_key(token.family), *FIELDS)
        session = None if values[0] is None else to_session(token.family, values)
        return Verification(judge(session, token, device, now_ms), session)

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Replace a token by its successor."""
        policy = self._policy
        answer = self._run(
            ROTATE,
            (session_key(token.family),),
            token.generation,
            token.digest,
            device,
            now_ms,
            successor.digest,
            successor.idle_expires_at_ms,
            token.generation + 1,
            now_ms + policy.grace_ms if policy.grace_ms else 0,
            1 if policy.revoke_on_device_mismatch else 0,
            SKEW_MS,
        )
        outcome = OUTCOMES[answer[0]]
        if outcome is Outcome.ROTATED:
            return Rotation(outcome, Successor(successor.digest, int(answer[1])))
        if outcome is Outcome.GRACE:
            return Rotation(outcome, Successor(answer[2], int(answer[1])))
        return Rotation(outcome)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End one session."""
        self._run(REVOKE, (session_key(family),), reason, now_ms)

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        """End every session of a subject but one."""
        spared = () if except_family is None else (except_family,)
        keys = (index_key(subject), ended_key(subject))
        self._run(REVOKE_SUBJECT, keys, reason, now_ms, LATEST_ISSUE_MS, *spared)

    def deny(self, digest: bytes, until_ms: int) -> None:
        """Put a digest on the denylist."""
        lasts_ms = max(until_ms - time.time_ns() // 1_000_000, 0) + DENIAL_MARGIN_MS
        self._run(DENY, (denied_key(digest),), lasts_ms)

    def is_denied(self, digest: bytes) -> bool:
        """Look a digest up on the denylist."""
        return bool(self._connections.exchange("EXISTS", denied_key(digest)))

    def sessions(self, subject: str) -> Sequence[Session]:
        """List a subject's sessions."""
        found = self._run(SESSIONS, (index_key(subject),), *FIELDS)
        return [to_session(Family(subject, family.decode()), values) for family, values in found]

    def settings(self) -> Mapping[str, str]:
        """Ask the server for the settings that make the profile."""
        served = {name: self._setting(name) for name in self._profile.server}
        return {**served, **self._profile.client}

    def close(self) -> None:
        """Disconnect."""
        self._connections.close()

    def _setting(self, name: str) -> str:
        answer = self._connections.exchange("CONFIG", "GET", name)
        # A map where the URL asks for RESP3.
        [(_, value)] = answer.items() if isinstance(answer, dict) else [answer]
        text: str = value.decode()
        return text

    def _run(self, script: Script, keys: Sequence[str | bytes], *args: str | bytes | int) -> Any:
        command = _command(script, keys, *args)
        try:
            return self._connections.exchange(*command)
        except NoScript:
            # Nothing was executed: a restart empties the server's cache of scripts. Once only.
            self._connections.exchange("SCRIPT", "LOAD", script.source)
            return self._connections.exchange(*command)


def _command(script: Script, keys: Sequence[str | bytes], *args: str | bytes | int) -> Command:
    return ("EVALSHA", script.sha, len(keys), *keys, *args)


def issuing(sessions: Sequence[Session]) -> Sequence[Command]:
    """Give the commands that store new sessions; the server must hold the script `ISSUE`."""
    return [_command(ISSUE, *_issued(group)) for group in _by_subject(sessions)]


def _issued(sessions: Sequence[Session]) -> tuple[Sequence[str], *tuple[str | bytes | int, ...]]:
    """Give keys and arguments of `issue.lua` for sessions of one subject."""
    subject = sessions[0].family.subject
    index = index_key(subject)
    keys = [index, ended_key(subject)]
    args: list[str | bytes | int] = []
    for session in sessions:
        family = session.family.id
        issued_at_ms = session.issued_at_ms
        idle_ms, absolute_ms = session.idle_expires_at_ms, session.absolute_expires_at_ms
        keys.append(f"{index}:{family}")
        args += (
            family,
            issued_at_ms,
            keep_ms(idle_ms, issued_at_ms),
            keep_ms(max(idle_ms, absolute_ms), issued_at_ms),
            session.generation,
            session.client,
            session.device,
            idle_ms,
            absolute_ms,
            session.digest,
        )
    return keys, *args


def _by_subject(sessions: Sequence[Session]) -> Iterator[Sequence[Session]]:
    """Cut where the subject changes, and where one script would hold the server for too long."""
    for _, group in groupby(sessions, lambda session: session.family.subject):
        while together := tuple(islice(group, LOADED_BY_ONE_SCRIPT)):
            yield together


def keep_ms(expires_at_ms: int, now_ms: int) -> int:
    """Give for how long the server keeps something that expires then, in ms."""
    return max(expires_at_ms - now_ms, 0) + SKEW_MS


def open_store(place: Place, profile: Profile, policy: Policy) -> RedisStore:
    """Open the store; it connects when it is first used."""
    assert place.url is not None, "redis needs a server"
    return RedisStore(place.url, profile, policy)


# An evicted session would be a login lost, and an evicted revocation a logout undone.
KEPT = {"maxmemory-policy": "noeviction"}
NO_LOG = {"appendonly": "no", **KEPT}
LOG = {"appendonly": "yes", "save": "", **KEPT}

NOT_WRITTEN = No("nothing is written to disk")
SNAPSHOT = No("back to the last snapshot")

PROFILES = (
    Profile(
        name="aof-everysec",
        summary="append-only file, fsync once a second",
        # While a sync is under way Redis puts the next write(2) off for up to two seconds, lest it
        # block, and answers clients meanwhile: flushAppendOnlyFile in its aof.c.
        capabilities=Capabilities(
            survives_crash=No("what was acknowledged while the log was being synced isn't written"),
            survives_power_cut=No("up to 1-2 s of acknowledged writes are not on disk yet"),
        ),
        server={**LOG, "appendfsync": "everysec"},
    ),
    Profile(
        name="aof-always",
        summary="append-only file, fsync before each answer",
        capabilities=Capabilities(),
        server={**LOG, "appendfsync": "always"},
    ),
    Profile(
        name="rdb",
        summary="snapshots as Redis takes them by default, and at a graceful stop",
        capabilities=Capabilities(survives_crash=SNAPSHOT, survives_power_cut=SNAPSHOT),
        server={**NO_LOG, "save": "3600 1 300 100 60 10000"},
    ),
    Profile(
        name="none",
        summary="memory alone",
        capabilities=Capabilities(
            survives_restart=NOT_WRITTEN,
            survives_crash=NOT_WRITTEN,
            survives_power_cut=NOT_WRITTEN,
        ),
        server={**NO_LOG, "save": ""},
    ),
)

NAMES = tuple(profile.name for profile in PROFILES)

TOPOLOGIES = (
    Topology(
        name="sentinel",
        summary="a primary, two replicas that follow at their own pace, and three Sentinels",
        layout="sentinel",
        survives_failover=dict.fromkeys(
            NAMES, No("what no replica has got yet is gone with the old primary")
        ),
    ),
    Topology(
        name="sentinel-min1",
        summary="... and a primary refuses writes once no replica has answered it for a second",
        layout="sentinel",
        survives_failover=dict.fromkeys(
            NAMES, No("a primary that is cut off acknowledges for a second or two more")
        ),
        server={"min-replicas-to-write": "1", "min-replicas-max-lag": "1"},
    ),
    Topology(
        name="sentinel-wait1",
        summary="... and a write is acknowledged once one replica has it (WAIT 1)",
        layout="sentinel",
        survives_failover=dict.fromkeys(
            NAMES, No("WAIT is no consensus: Sentinel may promote the replica without it")
        ),
        client={"wait": "1"},
    ),
    Topology(
        name="cluster",
        summary="Redis Cluster: three primaries share the keys, each with a replica",
        layout="cluster",
        survives_failover=dict.fromkeys(
            NAMES, No("a primary that is cut off acknowledges until its node timeout")
        ),
        replica_reads=False,
    ),
)

BACKEND = Backend(
    name="redis",
    title="Redis",
    summary="a hash a session, each operation one Lua script",
    profiles={profile.name: profile for profile in PROFILES},
    open=open_store,
    server="redis",
    topologies={topology.name: topology for topology in TOPOLOGIES},
    drivers=("redis", "hiredis"),
    control_profile="none",
    naive_backend="redis-naive",
)
