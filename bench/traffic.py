"""What this process's clients send and receive, counted by the kernel at each TCP socket.

TCP_INFO (tcp(7)) has payload bytes acknowledged and received, for every store alike and whatever
library opened the socket. Headers aren't in it; TLS records are.
"""

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# Of struct tcp_info (linux/tcp.h): tcpi_bytes_acked and tcpi_bytes_received.
_FIELDS = struct.Struct("=120xQQ")

Peer = tuple[str, int]


class Flow(NamedTuple):
    """Payload of one connection, or of several."""

    sent_bytes: int
    received_bytes: int


def peers() -> frozenset[Peer]:
    """Give whom this process is connected to now: none of them is a store opened later."""
    return frozenset(peer for _, peer, _ in _connections())


def flows(strangers: frozenset[Peer]) -> Mapping[int, Flow]:
    """Give the flow of every TCP connection to anyone but `strangers`, by the socket's inode."""
    return {inode: flow for inode, peer, flow in _connections() if peer not in strangers}


def between(before: Mapping[int, Flow], after: Mapping[int, Flow]) -> Flow | None:
    """Give what went over the wire between two readings; None where there was no connection.

    What went over a connection that was closed meanwhile, nobody can read any more.
    """
    if not after:
        return None
    earlier = [before.get(inode, Flow(0, 0)) for inode in after]
    return Flow(
        sum(flow.sent_bytes for flow in after.values()) - sum(f.sent_bytes for f in earlier),
        sum(f.received_bytes for f in after.values()) - sum(f.received_bytes for f in earlier),
    )


def _connections() -> Iterator[tuple[int, Peer, Flow]]:
    """Give inode, peer and flow of every TCP connection that this process opened."""
    connected: list[tuple[int, int, Peer, Flow]] = []
    listening: set[int] = set()
    for entry in os.scandir("/proc/self/fd"):
        # A descriptor may be closed, or a socket lose its peer, at any moment.
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(entry.stat().st_mode):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as one:
                if one.type != socket.SOCK_STREAM or one.family not in _INTERNET:
                    continue
                port: int = one.getsockname()[1]
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    listening.add(port)
                    continue
                told = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _FIELDS.size)
                peer = one.getpeername()[:2]
                inode = os.fstat(one.fileno()).st_ino
                connected.append((inode, port, peer, Flow(*_FIELDS.unpack(told))))
    # What came in by a port that we listen on was opened by the other side.
    return ((inode, peer, flow) for inode, port, peer, flow in connected if port not in listening)


_INTERNET = {socket.AF_INET, socket.AF_INET6}
