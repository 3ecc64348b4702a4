"""Connections whose writes count as acknowledged only once replicas have them (WAIT).

WAIT is no transaction: what no replica confirmed in time stands at the primary all the same, and
may reach a replica later. So it is AnswerLost, never refused. The command and its WAIT travel in
one trip.
"""

from collections.abc import Sequence
from typing import Any

from backends.errors import AnswerLost
from backends.redis_connections import REPLIES, Command, Connections, packed

WAIT_MS = 500
"""Less than a caller waits for an answer."""


class CopiedConnections(Connections):
    """As `Connections`; a script's answer is given once `copies` replicas confirmed it."""

    def __init__(self, url: str, copies: int) -> None:
        super().__init__(url)
        self._copies = copies

    def exchange_all(self, commands: Sequence[Command]) -> Sequence[Any]:
        """Send commands one after another, each confirmed, and give their answers."""
        return [self.exchange(*command) for command in commands]

    def _converse(self, connection: Any, command: tuple[str | bytes | int, ...]) -> Any:
        if command[0] != "EVALSHA":
            return super()._converse(connection, command)
        wait = ("WAIT", self._copies, WAIT_MS)
        connection.send_packed_command((packed(command) + packed(wait),))
        try:
            answer = connection.read_response()
        except REPLIES:
            connection.read_response()
            raise
        if (copies := connection.read_response()) < self._copies:
            raise AnswerLost(f"{copies} of {self._copies} replicas confirmed it in {WAIT_MS} ms")
        return answer
