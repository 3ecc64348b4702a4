"""A run on disk, `results/<run>/`: `run.json`, `trials.jsonl`, histories and errors.

run.json        what was asked, planned and found on this machine; written once, before load
trials.jsonl    one line a finished trial, flushed and fsynced before the next starts
histories/      one gzipped JSONL file for each trial that kept a history
errors/         one traceback for each trial that failed
"""

import contextlib
import fcntl
import gzip
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from bench.errors import Failed, WrongUse
from bench.record import FORMAT, Run, Trial

LOCK_SECONDS = 2.0
"""How long a lock is waited for: children of a run that was killed a moment ago still hold it."""


class RunExists(WrongUse):
    """There is a run of that name already."""


class RunFolder:
    """`results/<run>/`: append-only while it runs, read-only afterwards."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, run: Run) -> Self:
        """Make the folder and write `run.json`. Raises WrongUse if it can't be written."""
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise RunExists(f"{path} exists; a run is never overwritten") from None
        except OSError as error:
            raise WrongUse(f"can't write {path}: {error.strerror}; choose --results") from error
        try:
            (path / "histories").mkdir()
            (path / "trials.jsonl").touch()
            _write(path / "run.json", run.model_dump_json(indent=2) + "\n")
        except OSError as error:
            # Half a run folder would only be in the way of whoever looks for runs.
            shutil.rmtree(path, ignore_errors=True)
            raise WrongUse(f"can't write {path}: {error.strerror}; choose --results") from error
        return cls(path)

    @classmethod
    def named(cls, name: str, results: Path) -> Self:
        """Find a run by its path, or by its name below `results`. Raises WrongUse."""
        for path in (results / name, Path(name)):
            if (path / "run.json").exists():
                return cls(path)
        known = sorted(path.parent.name for path in results.glob("*/run.json"))
        there = f"the latest: {', '.join(known[-3:])}" if known else "it has none"
        raise WrongUse(f"no run {name!r} in {results}; {there}")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from running this run meanwhile. Raises WrongUse."""
        path = self.path / "trials.jsonl"
        try:
            file = path.open("r+b")
        except OSError as error:
            raise WrongUse(f"can't write {path}: {error.strerror}") from error
        with file:
            give_up = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up:
                        raise WrongUse(
                            f"another process is running {self.path}; wait for it, or end it"
                        ) from None
                    time.sleep(0.05)
            yield

    def run(self) -> Run:
        """Read `run.json`. Raises WrongUse: not a run, damaged, or of a newer format."""
        path = self.path / "run.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            written_as = raw["format"]
        except FileNotFoundError:
            raise WrongUse(f"{self.path} is no run: it has no run.json") from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WrongUse(f"{path} is damaged: {error}") from error
        if isinstance(written_as, int) and written_as > FORMAT:
            raise WrongUse(
                f"{path} has format {written_as}, this version reads up to {FORMAT};"
                " upgrade refreshbench"
            )
        try:
            return Run.model_validate(raw)
        except ValidationError as error:
            raise WrongUse(f"{path} is damaged: {_first(error)}") from error

    def trials(self) -> Sequence[Trial]:
        """Read every finished trial. A last line cut short by a kill is left out.

        Raises WrongUse: any other line that can't be read.
        """
        path = self.path / "trials.jsonl"
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUse(f"{path} can't be read: {error}") from error
        whole = [line for line in lines if line.endswith("\n")]
        trials = []
        for number, line in enumerate(whole, 1):
            try:
                trials.append(Trial.model_validate_json(line))
            except ValidationError as error:
                raise WrongUse(f"{path}:{number} is damaged: {_first(error)}") from error
        return trials

    def append(self, trial: Trial) -> None:
        """Write one finished trial, and have it on disk before returning. Raises Failed."""
        path = self.path / "trials.jsonl"
        if trial.error is not None:
            trial = trial.model_copy(update={"error": _without_home(trial.error)})
        try:
            with path.open("r+b") as file:
                # A line cut short by a kill must not swallow the one that follows.
                content = file.read()
                file.seek(content.rfind(b"\n") + 1)
                file.truncate()
                file.write(trial.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Failed(
                f"can't write {path}: {error.strerror}; make room and go on with --resume"
            ) from error

    def write_history(self, trial_id: str, lines: Iterable[str]) -> None:
        """Keep a trial's history, one event a line. Raises Failed."""
        # No time of day in the archive: the same history gives the same bytes.
        text = "".join(f"{line}\n" for line in lines)
        self._put(self.history(trial_id), gzip.compress(text.encode(), mtime=0))

    def history(self, trial_id: str) -> Path:
        """Give the file that has a trial's history, where it kept one."""
        return self.path / "histories" / f"{_file_name(trial_id)}.jsonl.gz"

    def write_error(self, trial_id: str, trace: str) -> None:
        """Keep the traceback of a trial that failed, for whoever mends it. Raises Failed."""
        self._put(
            self.path / "errors" / f"{_file_name(trial_id)}.txt", _without_home(trace).encode()
        )

    def _put(self, path: Path, content: bytes) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise Failed(
                f"can't write {path}: {error.strerror}; make room and go on with --resume"
            ) from error


def _file_name(trial_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", ".", trial_id).strip(".")


def _without_home(text: str) -> str:
    """Take the home folder out of what drivers and servers said: a record is made to be shown."""
    home = Path.home()
    return text if home == Path(home.anchor) else text.replace(str(home), "~")


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _first(error: ValidationError) -> str:
    problem: Mapping[str, Any] = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
