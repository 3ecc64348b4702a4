"""A loopback TCP proxy before a server: it counts round trips, and loses answers on demand.

with Proxy("127.0.0.1", 6379) as proxy:
    store = open_store(proxy.reroute(url))
    before = proxy.exchanges
    store.rotate(...)
    assert proxy.exchanges == before + 1
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from bench.errors import Failed

LOOPBACK = "127.0.0.1"
BOUND_SECONDS = 5.0
"""No call on the proxy takes longer."""
CHUNK_BYTES = 1 << 16
# Linger on, for zero seconds: closing sends RST at once instead of FIN.
RESET = struct.pack("ii", 1, 0)

Loss = Literal["reset", "silence"]


@dataclass(eq=False)
class Steering:
    """What is asked of the proxy at the moment, read by each of its connections."""

    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    armed: list[tuple[Loss, bytes]] = field(default_factory=list)
    dropped: int = 0
    heard: bytearray | None = None


class Connection:
    """One client's connection, open or gone."""

    def __init__(self, steering: Steering, client: asyncio.StreamWriter) -> None:
        self.exchanges = 0
        """Client-to-server bursts that were answered: round trips."""
        self.open = True
        self.ended = asyncio.Event()
        self._steering = steering
        self._writers = [client]
        self._asking = False
        self._request = b""
        self._lose: Loss | None = None
        self._mute = False

    def abort(self) -> None:
        """Reset both ends at once."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET
                )
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, upstream: tuple[str, int]) -> None:
        """Carry bytes both ways until either end stops."""
        try:
            answers, server = await asyncio.wait_for(
                asyncio.open_connection(*upstream), BOUND_SECONDS
            )
            self._writers.append(server)
            pumps = [
                asyncio.ensure_future(self._requests(reader, server)),
                asyncio.ensure_future(self._replies(answers, self._writers[0])),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            # The server is gone: the client learns it as it would without a proxy.
            self.abort()
        finally:
            for writer in self._writers:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            self.open = False
            self.ended.set()

    async def _requests(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._steering.flowing.wait()
            # The last chunk is kept, since what is looked for may straddle two.
            kept = self._request if self._asking else b""
            self._request = (kept + chunk)[-2 * CHUNK_BYTES :]
            self._asking = True
            if self._steering.heard is not None:
                self._steering.heard += chunk
            met = next((one for one in self._steering.armed if one[1] in self._request), None)
            if met is not None:
                self._lose = met[0]
                self._steering.armed.remove(met)
            server.write(chunk)
            await server.drain()

    async def _replies(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._asking:
                self._asking = False
                self.exchanges += 1
            if self._lose is not None:
                self._steering.dropped += 1
                if self._lose == "reset":
                    self.abort()
                    return
                self._lose, self._mute = None, True
            if self._mute:
                continue
            await self._steering.flowing.wait()
            client.write(chunk)
            await client.drain()


class Proxy:
    """Forwards `127.0.0.1:url_port` to a server. Safe to steer from any thread.

    What it counts is settled before the client has its answer, so a reading between two calls of
    the client is exact. A driver's own heartbeats count too: on their own connections.
    With `listen` it keeps what clients send, all of it: for short conversations.
    """

    def __init__(self, host: str, port: int, *, listen: bool = False) -> None:
        self._upstream = (host, port)
        self._connections: list[Connection] = []
        self._steering = Steering(heard=bytearray() if listen else None)
        self._steering.flowing.set()
        self._listener: asyncio.Server | None = None
        # Bound but never listening: it keeps the port ours while connections are refused.
        self._holder = _bound(0)
        self.url_port: int = self._holder.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        self.accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def connections(self) -> Sequence[Connection]:
        """Every connection so far, in the order of their arrival."""
        return tuple(self._connections)

    @property
    def exchanges(self) -> int:
        """Round trips over all connections so far."""
        return sum(connection.exchanges for connection in self._connections)

    @property
    def dropped(self) -> int:
        """Replies lost so far."""
        return self._steering.dropped

    @property
    def heard(self) -> bytes:
        """All that clients have sent, if it was told to listen."""
        return bytes(self._steering.heard or b"")

    def reroute(self, url: str) -> str:
        """Give `url` with the proxy's address in place of the server's."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}{LOOPBACK}:{self.url_port}"))

    def drop_next_reply(self, how: Loss = "reset", matching: bytes = b"") -> None:
        """Let the next request that contains `matching` through, and lose its answer.

        The server has executed the request by then. "reset" resets the client's connection,
        "silence" leaves it open and mute.
        """
        self._steering.armed = [(how, matching)]

    def drop_first_replies(self, matching: Sequence[bytes]) -> None:
        """Let the first request that contains each of these through, and reset at its answer."""
        self._steering.armed = [("reset", one) for one in matching]

    def disarm(self) -> None:
        """Forget what has met no request."""
        self._steering.armed = []

    def refuse(self) -> None:
        """Refuse new connections, as a port does where nothing listens."""
        self._call(self._unlisten())

    def accept(self) -> None:
        """Take new connections (again)."""
        self._call(self._listen())

    def cut(self) -> None:
        """Reset every connection that is open."""
        self._call(self._abort_all())

    def stall(self) -> None:
        """Hold every byte back, in both directions, until `flow`."""
        self._loop.call_soon_threadsafe(self._steering.flowing.clear)

    def flow(self) -> None:
        """Let bytes through again, those held back first."""
        self._loop.call_soon_threadsafe(self._steering.flowing.set)

    def close(self) -> None:
        """End every connection and thread of the proxy. Idempotent."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(Failed):
            self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(BOUND_SECONDS)
        self._holder.close()
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[None, None, None]) -> None:
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            done.result(BOUND_SECONDS)
        except TimeoutError:
            done.cancel()
            raise Failed(f"the proxy on port {self.url_port} does not answer") from None

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, sock=_bound(self.url_port))

    async def _unlisten(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _abort_all(self) -> None:
        # A client may connect anew meanwhile, and isn't waited for.
        connections = list(self._connections)
        for connection in connections:
            if connection.open:
                connection.abort()
        for connection in connections:
            await connection.ended.wait()

    async def _shut(self) -> None:
        await self._unlisten()
        self._steering.flowing.set()
        await self._abort_all()
        # One more turn of the loop lets the aborted transports close their sockets.
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._steering, writer)
        self._connections.append(connection)
        await connection.serve(reader, self._upstream)


def address(url: str) -> tuple[str, int]:
    """Give the host and port that a URL names. Raises Failed if it names none."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise Failed("the server's URL names no host and port")
    return parts.hostname, parts.port


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((LOOPBACK, port))
    except OSError as error:
        sock.close()
        raise Failed(f"no port for the proxy: {error.strerror}") from error
    return sock
