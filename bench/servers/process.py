"""Starting a server's process so that it dies with us, and keeping a port for it."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import guardian
from bench.errors import Failed
from bench.servers.hosts import HERE, Host

# PR_SET_PDEATHSIG fires when the *thread* that forked ends, so every server is forked by one that
# lives as long as the interpreter does.
_FORKING_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="refreshbench-fork")
_LAUNCHER = Path(__file__).with_name("launcher.py")
_TOOL_SECONDS = 60.0


class Port:
    """A port of a host that is ours from now on, also while the server on it is down.

    A socket stays bound without listening. Only a server that sets SO_REUSEADDR, as all of ours
    do, can still listen there; another run, or the kernel picking a client's port, can't take it.
    """

    def __init__(self, host: Host = HERE) -> None:
        self._address = host.address
        self._socket = host.socket()
        self._socket.bind((host.address, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.number: int = self._socket.getsockname()[1]

    def answers(self) -> bool:
        """Whether a server listens on it."""
        try:
            socket.create_connection((self._address, self.number), timeout=1).close()
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()


def start(
    command: Sequence[str], folder: Path, log: Path, program: Path
) -> subprocess.Popen[bytes]:
    """Start a server working in `folder`, its output appended to `log`, noted in the ledger.

    It has a session of its own, so Ctrl-C in the terminal doesn't reach it before us.
    """
    with log.open("ab") as output:
        child = _FORKING_THREAD.submit(
            subprocess.Popen,
            _tied(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ).result()
    guardian.note_process(folder, child.pid, program)
    return child


def run(command: Sequence[str], folder: Path, stdin: str = "", name: str | None = None) -> str:
    """Run a server's tool to its end and give its output. Raises Failed with its last lines.

    `name` is the program's own, where the command starts with something else.
    """
    name = name or Path(command[0]).name
    try:
        done = subprocess.run(
            _tied(command),
            cwd=folder,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_TOOL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} did not end within {_TOOL_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise Failed(f"{name} failed: {last_lines(done.stdout)}")
    return done.stdout


def last_lines(output: str, count: int = 5) -> str:
    """Put the last lines of a log on one line, so that an error stays one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "it said nothing"


def _tied(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]
