"""PostgreSQL, ours: user `bench`, database `bench`, loopback without a password."""

import hashlib
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.errors import Failed
from bench.servers import process
from bench.servers.binary import Binary
from bench.servers.driver_errors import driver_errors
from bench.servers.local import LocalServer
from bench.workspace import held_templates

_SETTINGS = {
    # Its path would have to fit into 107 bytes, and nobody asks for it.
    "unix_socket_directories": "",
    "max_connections": "200",
    # Inside the server's one mapping: a segment in /dev/shm would outlive SIGKILL.
    "min_dynamic_shared_memory": "16MB",
}


class PostgresServer(LocalServer):
    """Settings are those of postgresql.conf."""

    kind = "postgres"
    # Fast shutdown: sessions are ended, then a checkpoint is written.
    stop_signal = signal.SIGINT

    @property
    def writes(self) -> bool:
        """Whether it takes writes."""
        return True

    @property
    def url(self) -> str:
        """User and database are both `bench`."""
        return f"postgresql://bench@{self.host.address}:{self.port}/bench"

    def prepare(self) -> None:
        """Copy a cluster that was made once: 0.1 s where initdb takes 0.5 s."""
        _copy_cluster(self.binary, self.data)

    def command(self) -> Sequence[str]:
        """Give settings as `-c name=value`."""
        words = [*self.binary.prefix, str(self.binary.program), "-D", str(self.data)]
        words += ["-p", str(self.port)]
        given = {"listen_addresses": self.host.address, **_SETTINGS, **self.settings}
        for name, value in given.items():
            words += ["-c", f"{name}={value}"]
        return words

    def ask(self) -> None:
        """Connect; it refuses while it recovers."""
        with self.connection():
            pass

    def version(self) -> str:
        """`server_version`."""
        with self.connection() as connection:
            return str(connection.info.parameter_status("server_version")).split()[0]

    def check(self) -> str | None:
        """Run pg_amcheck, heap against index; without it, read every row (checksums are on)."""
        amcheck = self.binary.tool("pg_amcheck")
        # Refused by a server that only reads, even where there is nothing to install.
        install = ["--install-missing"] if self.writes else []
        if amcheck is None:
            return self._read_everything()
        try:
            process.run(
                [
                    str(amcheck),
                    *(f"--host={self.host.address}", f"--port={self.port}", "--username=bench"),
                    *("--database=bench", "--heapallindexed"),
                    *install,
                ],
                self.folder,
            )
        except Failed as found:
            return str(found)
        return None

    def _read_everything(self) -> str | None:
        with self.connection() as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for schema, table in tables:
                statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
                try:
                    with connection.cursor().copy(statement) as rows:
                        for _ in rows:
                            pass
                except psycopg.Error as error:
                    return f"{schema}.{table}: {error}"
        return None

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Connect to this server; the driver's errors become Failed."""
        with (
            driver_errors(self.url),
            psycopg.connect(self.url, connect_timeout=10) as connection,
        ):
            yield connection


def _copy_cluster(binary: Binary, data: Path) -> None:
    """Copy the made-once cluster of this very program to `data`, and have it on disk."""
    about = f"{binary.program} {binary.version} {binary.program.stat().st_mtime_ns}"
    name = hashlib.sha256(about.encode()).hexdigest()[:16]
    with held_templates() as templates:
        template = templates / name
        done = template / "done"
        if not done.exists():
            shutil.rmtree(template, ignore_errors=True)
            template.mkdir()
            _make_cluster(binary, template / "data")
            done.touch()
        shutil.copytree(template / "data", data, dirs_exist_ok=True)
    data.chmod(0o700)
    # Unsynced, its 46 MB would be written back during the trial, and be lost in a power cut.
    _tool(binary, data, "initdb", "--sync-only")


def _make_cluster(binary: Binary, data: Path) -> None:
    data.mkdir(mode=0o700)
    options = ["--username=bench", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    _tool(binary, data, "initdb", *options, "--data-checksums")
    # Renamed, not created beside it: each database is 300 files more to copy.
    rename = "ALTER DATABASE postgres RENAME TO bench"
    _tool(binary, data, "postgres", "--single", "-j", "template1", stdin=rename)


def _tool(binary: Binary, data: Path, name: str, *arguments: str, stdin: str = "") -> None:
    command = [*binary.prefix, str(binary.program.with_name(name))]
    # A single-user server wants --single first, and the database last.
    first, rest = arguments[:1], arguments[1:]
    process.run([*command, *first, "-D", str(data), *rest], data, stdin, name)
