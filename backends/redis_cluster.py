"""Connections to Redis Cluster: `redis+cluster://HOST:PORT,…[?options]`, any of its nodes.

A command goes to the node that owns its key's slot; a node that doesn't says who does (MOVED), and
has executed nothing, so the command goes there. No command is sent on after a lost answer: the
next one looks up anew who owns its slot.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.crc import key_slot
from redis.exceptions import MovedError

from backends.errors import NotSent, StoreRefused, StoreUnavailable
from backends.redis_connections import Command, Connections

SCHEME = "redis+cluster"
MOST_MOVES = 5
"""Times that one command is sent on: slots may move while it is under way, but not for ever."""


class ClusterConnections:
    """Exchanges one command for one answer with whoever owns the key. Safe from any thread."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._options = f"?{at.query}" if at.query else ""
        self._known: Sequence[str] = at.netloc.split(",")
        """Addresses to ask for the slots, those that answered last first."""
        self._nodes: dict[str, Connections] = {}
        self._owners: dict[int, str] = {}
        self._asked = threading.local()
        """Who was asked last by this thread: a script is loaded where it was missing."""

    def exchange(self, *command: str | bytes | int) -> Any:
        """Send a command to its owner and give the answer, as the driver parsed it.

        Raises NotSent, AnswerLost, or StoreRefused with the server's own words.
        """
        if command[0] in {"SCRIPT", "CONFIG"}:
            address = getattr(self._asked, "address", self._known[0])
            return self._node(address).exchange(*command)
        slot = _slot(command)
        address = self._owner(slot)
        for _ in range(MOST_MOVES):
            self._asked.address = address
            try:
                return self._node(address).exchange(*command)
            except StoreRefused as refused:
                moved = refused.__cause__
                if not isinstance(moved, MovedError):
                    raise
                address = f"{moved.host}:{moved.port}"
                self._owners[slot] = address
            except StoreUnavailable:
                self._forget(address)
                raise
        raise StoreRefused(f"slot {slot} moved {MOST_MOVES} times while it was asked for")

    def exchange_all(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Send commands one after another, each to its owner, and give their answers."""
        return [self.exchange(*command) for command in commands]

    def close(self) -> None:
        """Disconnect. Idempotent."""
        for node in list(self._nodes.values()):
            node.close()

    def _node(self, address: str) -> Connections:
        if address not in self._nodes:
            self._nodes[address] = Connections(f"redis://{address}{self._options}")
        return self._nodes[address]

    def _forget(self, address: str) -> None:
        """Have the slots looked up anew, and not at one who just didn't answer."""
        self._owners = {}
        self._known = [*(one for one in self._known if one != address), address]

    def _owner(self, slot: int) -> str:
        if slot not in self._owners:
            self._owners.update(self._look_up())
        try:
            return self._owners[slot]
        except KeyError:
            raise NotSent(f"nobody owns slot {slot}") from None

    def _look_up(self) -> Mapping[int, str]:
        failed: StoreUnavailable | None = None
        for address in list(self._known):
            try:
                ranges = self._node(address).exchange("CLUSTER", "SLOTS")
            except StoreUnavailable as error:
                failed = error
                self._forget(address)
                continue
            return {
                slot: f"{owner[0].decode()}:{owner[1]}"
                for first, last, owner, *_ in ranges
                for slot in range(first, last + 1)
            }
        raise NotSent("no node of the cluster is reached") from failed


def _slot(command: Sequence[str | bytes | int]) -> int:
    key = command[3] if command[0] == "EVALSHA" else command[1]
    assert isinstance(key, str | bytes), command
    return int(key_slot(key.encode() if isinstance(key, str) else key))
