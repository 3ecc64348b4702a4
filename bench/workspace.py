"""A run's private scratch folder, and the promise that nothing of the run outlives it.

<user's cache>/refreshbench/     or what REFRESHBENCH_SCRATCH names
├── runs/<id>/                   one live run: a folder for each trial
├── runs/<id>.lock               locked while its owner lives, whatever host or container it is in
├── templates/                   PostgreSQL clusters made ready once
└── bin/                         programs of wheels that can't be run where they are
"""

import contextlib
import fcntl
import multiprocessing.util
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import platformdirs

from bench import guardian
from bench.errors import Missing


def scratch() -> Path:
    """Give the folder below which everything short-lived is kept."""
    named = os.environ.get("REFRESHBENCH_SCRATCH")
    return Path(named).resolve() if named else platformdirs.user_cache_path("refreshbench")


def made_scratch() -> Path:
    """Give that folder, made if it isn't there. Raises Missing: no place to write."""
    folder = scratch()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def _unwritable(folder: Path, error: OSError) -> Missing:
    return Missing(
        f"can't write {folder}: {error.strerror}; set REFRESHBENCH_SCRATCH to a folder of your own"
    )


class Workspace:
    """One run's scratch folder, as a context manager. Everything in it ends with it.

    Not for several threads to enter; `folder` and `adopt` may be called from any.
    """

    path: Path

    def __enter__(self) -> Self:
        """Make the folder and start its guardian. Raises Missing: no place to write."""
        runs = scratch() / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            self.path = runs / secrets.token_hex(4)
            self._lock = _locked(self.path.with_suffix(".lock"), "x")
            self.path.mkdir()
        except OSError as error:
            raise _unwritable(runs, error) from error
        self._guardian = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", guardian.__file__),
                *(self.path, str(os.getpid())),
                # Where multiprocessing keeps its sockets: a killed owner would leave it.
                multiprocessing.util.get_temp_dir(),
            ],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End every process of the run, and remove the folder."""
        guardian.end(self.path)
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guardian.stdin.write(b".")
            self._guardian.stdin.close()
        self._guardian.wait()
        self._lock.close()
        self.path.with_suffix(".lock").unlink(missing_ok=True)

    def folder(self, name: str) -> Path:
        """Make a fresh, empty folder; `name` is only for people to recognise it by."""
        path = self.path / f"{name.replace('/', '.')}-{secrets.token_hex(3)}"
        path.mkdir()
        return path

    def adopt(self, pid: int) -> None:
        """Have process `pid`, and its descendants, end with the run at the latest."""
        guardian.note_process(self.path, pid)


def clean() -> list[str]:
    """Remove what dead runs left, processes and folders; never touches a live run's.

    Returns a line for each thing removed.
    """
    removed = []
    with contextlib.ExitStack() as held:
        for path in sorted((scratch() / "runs").glob("*.lock")):
            try:
                held.enter_context(_locked(path, "r+"))
            except OSError:
                continue  # its owner lives
            run = path.with_suffix("")
            pids = guardian.members(run)
            guardian.end(run)
            path.unlink()
            removed.append(f"run {run}" + (f" and processes {pids}" if pids else ""))
    if not list((scratch() / "runs").glob("*.lock")) and (scratch() / "templates").exists():
        with held_templates() as templates:
            shutil.rmtree(templates)
        removed.append(f"cached clusters {templates}")
    return removed


@contextlib.contextmanager
def held_templates() -> Iterator[Path]:
    """Give the folder of clusters made ready once, to one process and thread at a time."""
    templates = scratch() / "templates"
    templates.parent.mkdir(parents=True, exist_ok=True)
    with templates.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        templates.mkdir(exist_ok=True)
        yield templates


def _locked(path: Path, mode: str) -> IO[str]:
    """Open and lock without waiting. Raises OSError: another holds it, or no such file."""
    file = path.open(mode, encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
