"""Redis' append-only file while the disk is busy: what is acknowledged then, and a kill takes.

With `appendfsync everysec` another thread syncs. As long as it is at it, the main thread puts its
next write(2) off, for up to two seconds, and answers clients all the same. On a disk that syncs in
a few milliseconds few kills find such a moment; here the disk is slowed down until each does.
"""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import redis

import backends
from backends.store import Outcome, Place, Policy
from bench import cgroup, faults, servers
from bench.conform.caller import DEVICE, new_session, token_of
from bench.servers.server import Found
from bench.volume import Volume
from bench.workspace import Workspace
from benchmarks.confined import limited

BYTES_A_SECOND = 50_000
FILLER_BYTES = 100_000
"""Synced in two seconds, for which Redis puts writes off."""
PATIENCE_SECONDS = 20.0
THROTTLE = "blkio.throttle.write_bps_device"


def slowed(folder: Path, pids: Sequence[int]) -> AbstractContextManager[None]:
    """Slow down what processes write to the disk of a folder."""
    device = folder.stat().st_dev
    rule = f"{os.major(device)}:{os.minor(device)} {BYTES_A_SECOND}"
    return limited("blkio", {THROTTLE: rule}, pids)


@pytest.fixture(autouse=True)
def _able(workspace: Workspace) -> None:
    """The disk needs root and loop devices, slowing it down control groups of version 1."""
    if lack := faults.lacking(["powercut"], workspace.folder("able")):
        pytest.skip(f"not measured: {lack['powercut'].reason}")
    if not (cgroup.own("blkio") / THROTTLE).exists():
        pytest.skip("not measured: no control groups of version 1 for block devices")


@pytest.mark.server("redis")
@pytest.mark.parametrize(
    ("profile", "outcome"),
    [("aof-everysec", Outcome.UNKNOWN), ("aof-always", Outcome.VALID)],
)
def test_a_kill_takes_what_was_acknowledged_while_the_log_was_synced(
    profile: str, outcome: Outcome, workspace: Workspace
) -> None:
    """So everysec survives no crash, whatever the operating system keeps; `always` does."""
    subject = backends.resolve(f"redis:{profile}")
    found = servers.find("redis")
    assert isinstance(found, Found)
    home = workspace.folder("put-off")
    volume = Volume(workspace.folder("put-off"), home / "data")
    server = servers.start(found, home, subject.profile.server, None)
    try:
        place = Place(home, server.url)
        client = redis.Redis.from_url(server.url, socket_timeout=PATIENCE_SECONDS)
        session = new_session(time.time_ns() // 1_000_000)
        with slowed(home / "data", server.pids()):
            client.set("filler", bytes(FILLER_BYTES))
            wait_for_sync(client, syncs_by_itself=profile == "aof-everysec")
            subject.open(place, Policy()).issue(session)
            server.kill()
        server.restart()
        again = subject.open(place, Policy())
        answer = again.verify(token_of(session), DEVICE, session.issued_at_ms).outcome
    finally:
        server.close()
        volume.close()
    assert answer is outcome


def wait_for_sync(client: "redis.Redis", *, syncs_by_itself: bool) -> None:
    """Wait until another thread is at a sync, if this profile has one for it."""
    before = time.monotonic()
    while syncs_by_itself and not client.info("persistence")["aof_pending_bio_fsync"]:
        assert time.monotonic() - before < PATIENCE_SECONDS
        time.sleep(0.005)
