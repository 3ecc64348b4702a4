"""A disk of a trial's own: what a power cut takes from it, and that it never stays behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import faults, guardian
from bench.errors import Failed, Missing
from bench.volume import ThinVolume, Volume, require
from bench.workspace import Workspace, clean

GONE_SECONDS = 20.0


@pytest.fixture(scope="module", autouse=True)
def _able() -> None:
    """Nothing here can be shown without root and loop devices; the report says so of a run."""
    with Workspace() as workspace:
        if lack := faults.lacking(["powercut"], workspace.folder("able")):
            pytest.skip(f"not measured: {lack['powercut'].reason}")


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    return workspace.folder("volume")


@pytest.fixture
def volume(folder: Path) -> Iterator[Volume]:
    made = Volume(folder, folder / "data")
    yield made
    made.close()
    assert mounts_and_loops(folder) == []


def mounts_and_loops(folder: Path) -> list[str]:
    """Name what the kernel still has of a folder."""
    backing = [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]
    return [*map(str, guardian.mounts(folder)), *(file for file in backing if str(folder) in file)]


def write(path: Path, *, synced: bool) -> None:
    with path.open("wb") as file:
        file.write(b"written")
        file.flush()
        if synced:
            os.fsync(file.fileno())
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(volume: Volume) -> None:
    """The synced file is there again with its content, the other isn't."""
    write(volume.mount / "synced", synced=True)
    volume.settle()
    write(volume.mount / "unsynced", synced=False)
    volume.cut()
    with pytest.raises(OSError, match="Input/output error"):
        write(volume.mount / "after", synced=True)
    volume.restore()
    assert (volume.mount / "synced").read_bytes() == b"written"
    assert not (volume.mount / "unsynced").exists()
    assert not (volume.mount / "after").exists()


def test_a_device_that_drops_nothing_is_no_power_cut(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary that should be gone is there: no trial on such a device counts."""
    volume.settle()
    monkeypatch.setattr("bench.volume.fcntl.ioctl", lambda *_: 0)
    volume.cut()
    with pytest.raises(Failed, match="had not been synced"):
        volume.restore()


def test_a_device_that_forgets_what_was_synced_is_no_power_cut(volume: Volume) -> None:
    """The canary that should be there has other content."""
    volume.settle()
    write(volume.mount / ".canary-synced", synced=True)
    volume.cut()
    with pytest.raises(Failed, match="took what had been synced"):
        volume.restore()


def test_an_open_file_fails_the_cut_and_nothing_is_mounted_over(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written through an old handle would be lost unseen, so it fails closed."""
    monkeypatch.setattr("bench.volume._UNMOUNT_SECONDS", 0.1)
    volume.settle()
    with (volume.mount / "open").open("wb"):
        volume.cut()
        with pytest.raises(Failed, match="still has a file of it open"):
            volume.restore()
        assert guardian.mounts(volume.mount) == [volume.mount]
    volume.restore()


def test_nothing_is_mounted_on_what_is_mounted(volume: Volume, workspace: Workspace) -> None:
    """Two file systems on one folder would hide one another."""
    with pytest.raises(Failed, match="mounted already"):
        Volume(workspace.folder("second"), volume.mount)


def test_a_full_disk_takes_nothing_until_it_is_freed(volume: Volume) -> None:
    """And what is there can still be read."""
    volume.fill()
    assert volume.write_error() == errno.ENOSPC
    volume.free()
    assert volume.write_error() is None


def test_a_thin_device_fails_writes_until_it_has_room(folder: Path) -> None:
    """The file system has room to give; the device below has none."""
    thin = ThinVolume(folder, folder / "data")
    thin.run_out()
    assert thin.write_error() in {errno.EIO, errno.ENOSPC, errno.EROFS}
    assert os.statvfs(thin.mount).f_bavail > 0
    thin.refill()
    thin.remount()
    assert thin.write_error() is None
    thin.close()
    assert mounts_and_loops(folder) == []


def test_where_a_disk_cannot_be_made_it_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without the tools says which, and what would bring them."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Missing, match=r"mkfs\.ext4 isn't here"):
        require(folder)
    (folder / "volume").rename(folder / "before")
    [lack] = faults.lacking(["crash", "powercut"], folder).values()
    assert "root" in lack.mend


LEFT = """
import os, sys, time
from bench.workspace import Workspace
from bench.volume import ThinVolume, Volume
with Workspace() as workspace:
    one = Volume(workspace.folder("home"), workspace.folder("mount"))
    thin = ThinVolume(workspace.folder("home"), workspace.folder("mount"))
    with one.frozen():
        print(workspace.path, flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("guarded", [True, False])
def test_a_killed_run_leaves_no_mount_and_no_loop_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    """Not even a frozen one: its guardian ends it, or else `refreshbench clean`."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", LEFT], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        assert len(mounts_and_loops(folder)) == 5
        if not guarded:
            for pid in _guardians(folder):
                os.kill(pid, signal.SIGKILL)
        run.kill()
    deadline = time.monotonic() + GONE_SECONDS
    if not guarded:
        assert len(mounts_and_loops(folder)) == 5
        assert any(str(folder) in line for line in clean())
    while mounts_and_loops(folder) or folder.exists():
        assert time.monotonic() < deadline, mounts_and_loops(folder)
        time.sleep(0.05)


def _guardians(folder: Path) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().decode(errors="replace").split("\0")
        if guardian.__file__ in words and str(folder) in words:
            found.append(int(path.parent.name))
    return found
