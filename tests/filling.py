"""A stage for stores that are filled, and two that tell a harness's memory: one keeps all."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import backends
from backends.cookie import CAPABILITIES, CookieStore
from backends.store import Place, Policy, Session
from bench.phases.stage import Stage
from bench.servers.server import Server

SIEVE, HOARDER = f"{__file__}:Sieve", f"{__file__}:Hoarder"


class Sieve(CookieStore):
    """Takes every session and keeps none, however many there are."""

    capabilities = replace(CAPABILITIES, bound=None)

    def load(self, sessions: Iterable[Session]) -> int:
        last = deque(enumerate(sessions, 1), maxlen=1)
        return last[0][0] if last else 0


class Hoarder(CookieStore):
    """Keeps them all."""

    def __init__(self) -> None:
        self._kept: list[Session] = []

    def load(self, sessions: Iterable[Session]) -> int:
        self._kept.extend(sessions)
        return len(self._kept)


@contextmanager
def staged(spec: str, folder: Path, server: Server | None = None) -> Iterator[Stage]:
    """Give a stage for a subject, on a fresh place in a folder."""
    directory = folder / "store"
    directory.mkdir()
    subject = backends.resolve(spec)
    place = Place(directory, server.url if server else None)
    subject.prepare(place)
    with Stage(
        subject=subject,
        place=place,
        policy=Policy(),
        server=server,
        seed=5,
        scratch=folder,
    ) as stage:
        yield stage
