"""A server that is ours: started for one trial on a folder of its own, and gone with it.

<folder>/            the working directory of every process of the server
├── data/            what the server keeps
├── log              what it says
└── ledger.jsonl     its processes, for the guardian
"""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from bench import guardian
from bench.errors import Failed
from bench.servers import process
from bench.servers.binary import Binary
from bench.servers.hosts import HERE, Host

_START_SECONDS = 30.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.003


class LocalServer(ABC):
    """What the kinds have in common. A kind says how it is prepared, commanded and asked."""

    kind: str
    stop_signal: int
    """What shuts it down gracefully, at once, with its data kept."""
    faultable = True

    def __init__(
        self, binary: Binary, folder: Path, settings: Mapping[str, str], host: Host = HERE
    ) -> None:
        self.way = binary.way
        self.host = host
        self.binary = binary
        self.folder = folder
        self.data = folder / "data"
        self.settings = settings
        self._log = folder / "log"
        self._started_at_byte = 0
        self._child: Popen[bytes] | None = None
        self._port = process.Port(host)
        try:
            # It is there already where a trial's own disk is mounted on it.
            self.data.mkdir(exist_ok=True)
            self.prepare()
            self.restart()
            self.first_start()
        except BaseException:
            self.close()
            raise

    @property
    def port(self) -> int:
        """The port of its host it listens on, the same as long as it lives."""
        return self._port.number

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Give the command line that serves `data` on `port` with the settings in force."""

    @abstractmethod
    def ask(self) -> None:
        """Ask it anything a client would. Raises the driver's error while it isn't ready."""

    @abstractmethod
    def version(self) -> str:
        """Ask the server for its version."""

    @abstractmethod
    def check(self) -> str | None:
        """Run the server's own integrity check; None if all is well."""

    def prepare(self) -> None:  # noqa: B027 - most kinds have nothing to do
        """Fill `data` before the first start, where the server doesn't do so itself."""

    def first_start(self) -> None:  # noqa: B027 - most kinds have nothing to do
        """Do what has to be asked of the running server once."""

    def last_words(self, log: str) -> str:
        """Say why it died, from its log."""
        return process.last_lines(log)

    def log(self) -> str:
        """Give what it has said since it was last started."""
        with self._log.open("rb") as file:
            file.seek(self._started_at_byte)
            return file.read().decode(errors="replace")

    def pids(self) -> Sequence[int]:
        """Its processes, descendants included."""
        return guardian.members(self.folder)

    def restart(self) -> None:
        """Start on what is in `data`, and wait until it answers."""
        if self._child is not None and self._child.poll() is None:
            raise Failed(f"{self.kind} still runs; stop or kill it before starting it again")
        self._started_at_byte = self._log.stat().st_size if self._log.exists() else 0
        self._child = process.start(
            [*self.host.prefix, *self.command()], self.folder, self._log, self.binary.program
        )
        self._wait_until_it_answers(self._child)
        # What a server leaves behind in the kernel when it is killed has to be known before.
        guardian.note_shared_memory(self.folder, self._child.pid)

    def stop(self) -> None:
        """Shut down gracefully; returns when every process is gone."""
        child = self._child
        if child is None or child.poll() is not None:
            raise Failed(f"{self.kind} doesn't run, so it can't be stopped")
        child.send_signal(self.stop_signal)
        deadline = time.monotonic() + _STOP_SECONDS
        try:
            child.wait(_STOP_SECONDS)
        except TimeoutExpired:
            said = self.last_words(self.log())
            raise Failed(f"{self.kind} did not stop within {_STOP_SECONDS:.0f} s: {said}") from None
        while self.pids():
            if time.monotonic() > deadline:
                raise Failed(f"{self.kind} stopped, but left processes {self.pids()}")
            time.sleep(_POLL_SECONDS)

    def pause(self) -> None:
        """SIGSTOP every process: it holds its connections and answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on where it was paused."""
        self._signal_all(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL every process at once: all are stopped first, so none can flush meanwhile."""
        guardian.kill(self.folder)
        self._see_it_gone()

    def close(self) -> None:
        """End it however it stands, and remove its folder."""
        guardian.end(self.folder)
        self._port.release()
        self._see_it_gone()

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self.pids():
            os.kill(pid, number)

    def _see_it_gone(self) -> None:
        if self._child is not None:
            try:
                self._child.wait(_STOP_SECONDS)
            except TimeoutExpired:
                raise Failed(f"{self.kind}, process {self._child.pid}, survives SIGKILL") from None

    def _wait_until_it_answers(self, child: Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        unready: Exception | None = None
        while child.poll() is None:
            if self._port.answers():
                try:
                    return self.ask()
                except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
                    unready = error
            if time.monotonic() > deadline:
                self.kill()
                last = unready or self.last_words(self.log())
                raise Failed(
                    f"{self.kind} did not answer within {_START_SECONDS:.0f} s of its start: {last}"
                )
            time.sleep(_POLL_SECONDS)
        raise Failed(
            f"{self.kind} ({self.binary.program}) died at start: {self.last_words(self.log())}"
        )
