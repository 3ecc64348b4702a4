"""A store 5 ms away that does one call at a time, in 2.5 ms: no client's CPU is in its way.

Its place's URL names whoever has the turn: something that answers each byte with one, one at a
time. What it keeps is in this process alone.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from backends.memory import MemoryStore
from backends.store import Backend, Capabilities, Policy, Profile, Rotation, Successor, Token

AWAY_SECONDS = 0.005
BUSY_SECONDS = 0.0025


class FarStore(MemoryStore):
    """Waits for the way, then for its turn."""

    def __init__(self, url: str, policy: Policy) -> None:
        super().__init__(policy)
        at = urlsplit(url)
        self._at = (at.hostname, at.port)
        self._own = threading.local()

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        time.sleep(AWAY_SECONDS)
        if not hasattr(self._own, "line"):
            self._own.line = socket.create_connection(self._at)
        self._own.line.sendall(b"?")
        assert self._own.line.recv(1) == b"!"
        return super().rotate(token, successor, device, now_ms)


@contextmanager
def turns(address: str) -> Iterator[str]:
    """Serve one call at a time on a free port of `address`; give the URL."""
    busy = threading.Lock()

    def serve(line: socket.socket) -> None:
        with line:
            while line.recv(1):
                with busy:
                    time.sleep(BUSY_SECONDS)
                line.sendall(b"!")

    def accept() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[line], daemon=True).start()

    with socket.create_server((address, 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"tcp://{address}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


BACKEND = Backend(
    name="far",
    title="Far",
    summary="a way off, and one call at a time",
    profiles={"one": Profile(name="one", summary="", capabilities=Capabilities())},
    open=lambda place, _profile, policy: FarStore(place.url or "", policy),
)
