"""Several instances do at the same moment what only one of them may succeed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from scenarios.history import Event

Contest = Literal["rotate", "revoke", "logout-all"]
"""rotate: all rotate one token. revoke: one logs out, the others rotate. logout-all: one ends every
session of a subject, the others log it in."""
Mishap = Literal["none", "lost answers", "paused server", "paused instance"]
"""What goes wrong meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """`instances` processes meet at the same moment, `rounds` times."""

    instances: int
    """Threads of one process for a store that processes can't share."""
    rounds: int
    contest: Contest = "rotate"
    mishap: Mishap = "none"

    disturbs: ClassVar[bool] = False
    """A pause is no stop; yet where the server is a user's own, it isn't put through that either:
    the observation says so."""

    @property
    def title(self) -> str:
        """Say what it is doing, for a progress display."""
        what = "racing" if self.contest == "rotate" else f"racing {self.contest}"
        return f"{self.instances} instances {what}" + (
            "" if self.mishap == "none" else f", {self.mishap}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """The observation of a `Race`."""

    phase: Race
    history: Sequence[Event]
    """Of each family: its issue, the calls that met, and a look afterwards at every token that
    someone was given, or may have been."""
    mishaps: int = 0
    """How often the mishap happened."""
    unsuited: str = ""
    """Why there was no race here, where there was none."""
