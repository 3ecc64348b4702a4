"""Servers of the user's own: REFRESHBENCH_REDIS_URL, _POSTGRES_URL, _MONGO_URL.

A password in the URL appears in no message, no record and no `Found`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bench.errors import Missing, RefreshbenchError, WrongUse
from bench.servers.driver_errors import without_password
from bench.servers.guest import Guest, MongoGuest, PostgresGuest, RedisGuest
from bench.servers.server import Found, Server, Unavailable

_GUESTS: Mapping[str, type[Guest]] = {
    "redis": RedisGuest,
    "postgres": PostgresGuest,
    "mongo": MongoGuest,
}
_SCHEMES = {
    "redis": ("redis", "rediss"),
    "postgres": ("postgresql", "postgres"),
    "mongo": ("mongodb", "mongodb+srv"),
}


class Url:
    """Uses what is there; starts, configures and stops nothing."""

    name = "url"

    def named(self, kind: str) -> bool:
        """Whether the variable is set."""
        return bool(os.environ.get(_variable(kind)))

    def find(self, kind: str) -> Found | Unavailable:
        """Connect, ask for the version, and see whether there is room for us."""
        try:
            guest = self._guest(kind)
            version = guest.version()
            obstacle = guest.obstacle()
        except RefreshbenchError as error:
            mend = f"set {_variable(kind)} to the URL of a server that runs"
            return Unavailable(kind, self.name, str(error), mend)
        shown = without_password(guest.url)
        if obstacle is not None:
            reason, _, mend = obstacle.partition(": ")
            return Unavailable(kind, self.name, f"{shown}: {reason}", mend)
        return Found(kind, self.name, shown, version, faultable=False)

    def require(self, kind: str, settings: Mapping[str, str], layout: str | None = None) -> None:
        """Ask the server: what it doesn't have is the user's to set. Raises WrongUse, Failed."""
        if layout is not None:
            raise WrongUse(
                f"{_variable(kind)} names one server, and a topology is servers of our own:"
                " use --servers wheel"
            )
        self._guest(kind).require(settings)

    def start(
        self,
        kind: str,
        folder: Path,  # noqa: ARG002 - the data is elsewhere
        settings: Mapping[str, str],
        layout: str | None = None,
    ) -> Server:
        """Make a place of our own on it. Raises Missing, WrongUse, Failed."""
        guest = self._guest(kind)
        if (obstacle := guest.obstacle()) is not None:
            raise WrongUse(f"{without_password(guest.url)}: {obstacle}")
        self.require(kind, settings, layout)
        guest.settle()
        return guest

    def _guest(self, kind: str) -> Guest:
        url = os.environ.get(_variable(kind))
        if not url:
            raise Missing(f"{_variable(kind)} isn't set")
        if not _is_clear(url) or urlsplit(url).scheme not in _SCHEMES[kind]:
            raise WrongUse(
                f"{_variable(kind)} is no URL of a {kind} server: it begins with"
                f" {_SCHEMES[kind][0]}://, and in a password %40 stands for @, %2F for /"
            )
        return _GUESTS[kind](url)


def _variable(kind: str) -> str:
    return f"REFRESHBENCH_{kind.upper()}_URL"


def _is_clear(url: str) -> bool:
    """Whether it is plain where the password ends; if not, any part of it may be the password."""
    try:
        return url.count("@") == urlsplit(url).netloc.count("@") <= 1
    except ValueError:
        return False
