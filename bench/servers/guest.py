"""Being a guest on a server of the user's own: what we make is ours, and goes when we go.

It is never configured, stopped or restarted, and nothing that we didn't make is touched. A run that
is killed leaves its schema or database behind; both have `refreshbench_` before their name.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import psycopg
import redis
from psycopg import sql
from pymongo import MongoClient
from redis.backoff import NoBackoff
from redis.retry import Retry

from bench.errors import Failed, WrongUse
from bench.servers.driver_errors import driver_errors

_CONNECT_SECONDS = 5


class Guest(ABC):
    """What the kinds have in common: a place of ours on a server that isn't."""

    way = "url"
    kind: str
    faultable = False

    def __init__(self, url: str) -> None:
        """Take the URL as the user gave it; nothing is connected yet."""
        self.url = url

    @abstractmethod
    def version(self) -> str:
        """Ask the server for its version."""

    @abstractmethod
    def obstacle(self) -> str | None:
        """Say why nothing of ours can live there, and the mend; None if it can."""

    @abstractmethod
    def setting(self, name: str) -> str:
        """Read a setting back as a profile would write it."""

    @abstractmethod
    def settle(self) -> None:
        """Make a place of our own; `url` leads there from now on."""

    @abstractmethod
    def close(self) -> None:
        """Remove what `settle` made, and what was put there. Idempotent."""

    def require(self, settings: Mapping[str, str]) -> None:
        """Compare what a profile needs with what the server has. Raises WrongUse."""
        for name, wanted in settings.items():
            if (has := self.setting(name)) != wanted:
                raise WrongUse(
                    f"your {self.kind} has {name}={has!r}, the profile needs {wanted!r}:"
                    " set it there, or take another profile"
                )

    def pids(self) -> Sequence[int]:
        """None of its processes is ours to look at."""
        return ()

    def check(self) -> str | None:
        """Not ours to do."""
        self._refuse("checked")

    def stop(self) -> None:
        """Not ours to do."""
        self._refuse("stopped")

    def kill(self) -> None:
        """Not ours to do."""
        self._refuse("killed")

    def restart(self) -> None:
        """Not ours to do."""
        self._refuse("restarted")

    def _refuse(self, done: str) -> NoReturn:
        raise Failed(f"the {self.kind} server is yours, it is never {done}; use --servers wheel")


class RedisGuest(Guest):
    """In the database that the URL names, which has to be empty."""

    kind = "redis"
    _ours = False

    def version(self) -> str:
        """`redis_version` of INFO."""
        with self._client() as client:
            return str(client.info("server")["redis_version"])

    def obstacle(self) -> str | None:
        """See that the database holds nothing, since we empty it at the end."""
        with self._client() as client:
            keys = client.dbsize()
        if not keys:
            return None
        return f"its database holds {keys} keys: name an empty one, as in redis://host:6379/9"

    def setting(self, name: str) -> str:
        """CONFIG GET; a hosted server may forbid it."""
        with self._client() as client:
            return str(client.config_get(name).get(name))

    def settle(self) -> None:
        """Take the database, empty as it was when we came."""
        self._ours = True

    def close(self) -> None:
        """Empty the database again; no other is touched."""
        if self._ours:
            with self._client() as client:
                client.flushdb()
        self._ours = False

    @contextmanager
    def _client(self) -> Iterator[redis.Redis]:
        once = Retry(NoBackoff(), 0)
        with (
            driver_errors(self.url),
            redis.Redis.from_url(
                self.url, retry=once, socket_connect_timeout=_CONNECT_SECONDS
            ) as client,
        ):
            yield client


class PostgresGuest(Guest):
    """In a schema of our own, which the URL puts first on the search path."""

    kind = "postgres"
    _schema: str | None = None

    def version(self) -> str:
        """`server_version`."""
        with self._connection() as connection:
            return str(connection.info.parameter_status("server_version")).split()[0]

    def obstacle(self) -> str | None:
        """Ask for the right to create a schema in the database."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT has_database_privilege(current_database(), 'CREATE'), current_user"
            ).fetchone()
        assert row is not None
        allowed, user = row
        return None if allowed else f"{user} may not create a schema in it: GRANT CREATE first"

    def setting(self, name: str) -> str:
        """`current_setting`, as our own connection has it."""
        with self._connection() as connection:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row is not None
        return str(row[0])

    def settle(self) -> None:
        """Create the schema."""
        schema = f"refreshbench_{secrets.token_hex(6)}"
        with self._connection() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        self._schema = schema
        at = urlsplit(self.url)
        query = parse_qs(at.query)
        query["options"] = [" ".join([*query.get("options", []), f"-c search_path={schema}"])]
        # libpq reads %20 as a blank, but not +.
        self.url = at._replace(query=urlencode(query, doseq=True, quote_via=quote)).geturl()

    def close(self) -> None:
        """Drop the schema."""
        if self._schema is not None:
            with self._connection() as connection:
                connection.execute(
                    sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self._schema))
                )
        self._schema = None

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with (
            driver_errors(self.url),
            psycopg.connect(self.url, connect_timeout=_CONNECT_SECONDS) as connection,
        ):
            yield connection


class MongoGuest(Guest):
    """In a database of our own, which the URL names as the default one."""

    kind = "mongo"
    _database: str | None = None

    def version(self) -> str:
        """`version` of buildInfo."""
        with self._client() as client:
            return str(client.server_info()["version"])

    def obstacle(self) -> str | None:
        """Whether we may write is known when we do."""
        return None

    def setting(self, name: str) -> str:
        """Read `replSet`, the one setting that a profile has."""
        if name != "replSet":
            raise WrongUse(f"{name} of your mongo can't be read back: take another profile")
        with self._client() as client:
            return str(client.admin.command("hello").get("setName", ""))

    def require(self, settings: Mapping[str, str]) -> None:
        """Whether it is a replica set, where the profile needs one."""
        if "replSet" in settings and not self.setting("replSet"):
            raise WrongUse(
                "your mongo is no replica set, the profile needs one: take another profile"
            )
        super().require({k: v for k, v in settings.items() if k != "replSet"})

    def settle(self) -> None:
        """Put our database into the URL, and keep authenticating where the user did."""
        self._database = f"refreshbench_{secrets.token_hex(6)}"
        at = urlsplit(self.url)
        query = parse_qs(at.query)
        given = {name.lower() for name in query}
        # These mechanisms authenticate against the URL's database, unless told otherwise.
        by_database = query.get("authMechanism", ["SCRAM"])[0].startswith("SCRAM")
        if "@" in at.netloc and "authsource" not in given and by_database:
            query["authSource"] = [at.path.strip("/") or "admin"]
        self.url = at._replace(
            path=f"/{self._database}", query=urlencode(query, doseq=True)
        ).geturl()

    def close(self) -> None:
        """Drop the database."""
        if self._database is not None:
            with self._client() as client:
                client.drop_database(self._database)
        self._database = None

    @contextmanager
    def _client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        patience_ms = _CONNECT_SECONDS * 1_000
        with (
            driver_errors(self.url),
            MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=patience_ms) as client,
        ):
            yield client
