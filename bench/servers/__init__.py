"""Real servers for the trials, by the first way that works here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.servers.path import OnPath
from bench.servers.server import Found, Server, Unavailable, Way
from bench.servers.url import Url
from bench.servers.wheel import Wheel

KINDS = ("redis", "postgres", "mongo")

# One line a way, in the order in which `auto` tries them; docker's place is before url.
WAYS: Mapping[str, Way] = {
    "wheel": Wheel(),
    "path": OnPath(),
    "url": Url(),
}


def find(kind: str, way: str = "auto") -> Found | Unavailable:
    """Find a server of `kind`; nothing is started.

    `auto` takes what the user named by an environment variable, and nothing else in its place;
    otherwise the first way that works.
    """
    if way != "auto":
        if way not in WAYS:
            return Unavailable(
                kind, way, f"there is no way {way!r} yet", f"use --servers {'|'.join(WAYS)}"
            )
        return WAYS[way].find(kind)
    for candidate in WAYS.values():
        if candidate.named(kind):
            return candidate.find(kind)
    failed: list[Unavailable] = []
    for candidate in WAYS.values():
        answer = candidate.find(kind)
        if isinstance(answer, Found):
            return answer
        failed.append(answer)
    # Why each failed; of the mends the first, since the first way is the easiest to have.
    return replace(failed[0], reason="; ".join(one.reason for one in failed))


def survey(kind: str) -> Sequence[Found | Unavailable]:
    """Look for `kind` by every way."""
    return [way.find(kind) for way in WAYS.values()]


def require(found: Found, settings: Mapping[str, str], layout: str | None = None) -> None:
    """Make sure that a server that was found can have `settings` in force. Raises WrongUse."""
    WAYS[found.way].require(found.kind, settings, layout)


def start(
    found: Found, folder: Path, settings: Mapping[str, str], layout: str | None = None
) -> Server:
    """Start a server that was found on an empty folder, and wait until it answers.

    With the `layout` of a topology, all its members. Raises Failed with the last lines of a log;
    Missing, if it has gone meanwhile.
    """
    return WAYS[found.way].start(found.kind, folder, settings, layout)
