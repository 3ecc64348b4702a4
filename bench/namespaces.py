"""Network namespaces that last as long as this process and what runs in them; nobody deletes them.

A namespace is held by a file descriptor alone, has no name below /run/netns, and no mount. When
the process that made it ends for whatever reason, SIGKILL included, and the processes that entered
it have ended too, the kernel removes it with its bridges and veths. So a ledger of them is not
needed: ending the run's processes is enough.
"""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000  # unshare(2), setns(2)


def create() -> int:
    """Make an empty network namespace, and give a descriptor that holds it.

    Raises OSError: not root.
    """

    def unshare() -> int:
        _checked(_LIBC.unshare(CLONE_NEWNET))
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _apart(unshare)


def enter(namespace: Path) -> None:
    """Move the calling thread, and those it starts from now on, into `namespace`."""
    held = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_LIBC.setns(held, CLONE_NEWNET))
    finally:
        os.close(held)


def socket_in(namespace: Path | None) -> socket.socket:
    """Give a TCP socket that belongs to `namespace`, whoever uses it; None: to where we are."""
    if namespace is None:
        return socket.socket()

    def make() -> socket.socket:
        enter(namespace)
        return socket.socket()

    return _apart(make)


# setns and unshare of Python itself came with 3.12.
_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _apart(function: Callable[[], T]) -> T:
    """Call it in a thread of its own: a thread that changed its namespace is used for nothing else.

    Raises what it raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in errors:
        raise error
    return results[0]
