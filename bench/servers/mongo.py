"""mongod, ours; with the setting `replSet` it is a replica set of one member."""

import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from bench.errors import Failed
from bench.servers import process
from bench.servers.driver_errors import driver_errors
from bench.servers.local import LocalServer

# A member alone elects itself at once; a busy machine takes longer to say so.
_ELECTION_SECONDS = 30.0
_VALIDATE_SECONDS = 10.0


class MongoServer(LocalServer):
    """Settings are mongod's long options; `setParameter.name` sets a server parameter."""

    kind = "mongo"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """Direct, since a set of one has nothing to discover."""
        return f"mongodb://{self.host.address}:{self.port}/?directConnection=true"

    def command(self) -> Sequence[str]:
        """Give settings as long options."""
        options = {
            "port": str(self.port),
            "bind_ip": self.host.address,
            "dbpath": str(self.data),
            # By default it takes half of the machine's memory.
            "wiredTigerCacheSizeGB": "1",
            **{k: v for k, v in self.settings.items() if not k.startswith("setParameter.")},
        }
        parameters = {
            # Once a second it would write files that no trial asked for.
            "diagnosticDataCollectionEnabled": "false",
            # A primary told to stop waits this long for an electable secondary: there is none.
            "shutdownTimeoutMillisForSignaledShutdown": "100",
            **{
                k.removeprefix("setParameter."): v
                for k, v in self.settings.items()
                if k.startswith("setParameter.")
            },
        }
        words = [str(self.binary.program), "--nounixsocket"]
        for name, value in options.items():
            words += [f"--{name}", value]
        for name, value in parameters.items():
            words += ["--setParameter", f"{name}={value}"]
        return words

    def ask(self) -> None:
        """Ping; after a restart, also wait until the set has its primary again."""
        with self.client() as client:
            client.admin.command("ping")
            if client.admin.command("hello").get("setName"):
                _wait_for_primary(client)

    def first_start(self) -> None:
        """Make the set of one, under the address that clients use."""
        if "replSet" not in self.settings:
            return
        member = {"_id": 0, "host": f"{self.host.address}:{self.port}"}
        with self.client() as client:
            client.admin.command(
                "replSetInitiate", {"_id": self.settings["replSet"], "members": [member]}
            )
            _wait_for_primary(client)

    def version(self) -> str:
        """`version` of buildInfo."""
        with self.client() as client:
            return str(client.server_info()["version"])

    def check(self) -> str | None:
        """Run `validate` in full on every collection that isn't the server's own."""
        with self.client() as client:
            for name in client.list_database_names():
                if name in {"admin", "config", "local"}:
                    continue
                database = client[name]
                for collection in database.list_collection_names():
                    if said := _validate(database, collection):
                        return f"{name}.{collection}: {said}"
        return None

    def last_words(self, log: str) -> str:
        """Its log is JSON; what matters is in the messages of errors, if it came that far."""
        said, serious = [], []
        for line in log.splitlines():
            try:
                entry = json.loads(line)
                text = f"{entry['msg']} {entry.get('attr', {}).get('error', '')}".strip()
            except (ValueError, TypeError, KeyError):
                said.append(line)
                continue
            said.append(text)
            if entry.get("s") in {"E", "F"}:
                serious.append(text)
        return process.last_lines("\n".join(serious or said))

    @contextmanager
    def client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        """Connect to this server alone; the driver's errors become Failed."""
        with (
            driver_errors(self.url),
            MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=5_000) as client,
        ):
            yield client


def _wait_for_primary(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + _ELECTION_SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise Failed(f"mongo had no primary within {_ELECTION_SECONDS:.0f} s")
        time.sleep(0.003)


def _validate(database: Database[dict[str, Any]], collection: str) -> str:
    """Give what `validate` finds wrong. While it says that the table is busy, it is asked again."""
    deadline = time.monotonic() + _VALIDATE_SECONDS
    while True:
        # A table with changes since the last checkpoint can't be verified, and counts as busy.
        database.client.admin.command("fsync")
        found: Mapping[str, Any] = database.command("validate", collection, full=True)
        said = "; ".join(map(str, [*found.get("errors", ()), *found.get("warnings", ())]))
        if "transient issue" not in said or time.monotonic() > deadline:
            return said if said or found["valid"] else "not valid"
        time.sleep(0.1)
