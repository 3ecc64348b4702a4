"""PostgreSQL as a primary and a streaming replica of it (a standby).

    host-0: postgres-0, the primary at first     host-1: postgres-1, its standby at first

PostgreSQL itself elects nobody and fences nobody. Here both are done for it, as an operator's tool
would: `promote` first ends the lost primary, wherever it is, and then makes the standby primary.
Whoever was ended so comes back as a standby, on a fresh copy.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from psycopg import sql

from bench.errors import Failed, Missing
from bench.servers import process
from bench.servers.binary import Binary
from bench.servers.cluster import Cluster
from bench.servers.hosts import Host
from bench.servers.postgres import PostgresServer

CLIENT_SECONDS = 2
"""How long a client of ours waits to connect, and for what it sent to arrive; libpq's least."""
_PROMOTION_SECONDS = 20
_WAITED_FOR = "synchronous_standby_names"


class Standby(NamedTuple):
    """What a primary says of one that streams from it (pg_stat_replication)."""

    name: str
    sync_state: str
    in_step: bool
    """It shows to its readers all that the primary has on disk."""


class PostgresMember(PostgresServer):
    """One of the two; which role it has is in its data."""

    def __init__(
        self,
        binary: Binary,
        folder: Path,
        settings: Mapping[str, str],
        host: Host,
        leader: "PostgresMember | None" = None,
    ) -> None:
        self.leader = leader
        """Whom it follows; None: it is a primary."""
        # Its name is that of its folder; a standby is known by it to its primary.
        super().__init__(binary, folder, {**settings, "cluster_name": folder.name}, host)

    @property
    def name(self) -> str:
        """By which the other knows it."""
        return self.folder.name

    @property
    def writes(self) -> bool:
        """Whether it is a primary."""
        return self.leader is None

    def prepare(self) -> None:
        """Make a primary that other hosts may reach, or a copy of the primary."""
        if self.leader is not None:
            self._copy(self.leader)
            return
        super().prepare()
        with (self.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("host all,replication all samenet trust\n")

    def fence(self, leader: "PostgresMember") -> None:
        """End it, and have it come back as a standby of `leader` and nothing else."""
        self.kill()
        self.leader = leader
        shutil.rmtree(self.data)

    def restart(self) -> None:
        """Start on its data; on a copy of its leader's if it was fenced."""
        if not self.data.exists():
            self.data.mkdir()
            self.prepare()
        super().restart()

    def promote(self) -> None:
        """Make a standby a primary, and wait until it writes."""
        with self.connection() as connection:
            connection.execute("SELECT pg_promote(true, %s)", [_PROMOTION_SECONDS])
            [[in_recovery]] = connection.execute("SELECT pg_is_in_recovery()").fetchall()
        if in_recovery:
            raise Failed(f"{self.name} was not promoted within {_PROMOTION_SECONDS} s")
        self.leader = None

    def require(self, standby: str) -> None:
        """Have a commit wait for `standby` from now on, as far as `synchronous_commit` says."""
        with self.connection() as connection:
            connection.autocommit = True
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(
                    sql.Identifier(_WAITED_FOR), sql.Literal(_quoted(standby))
                )
            )
            connection.execute("SELECT pg_reload_conf()")

    def setting(self, name: str) -> str:
        """Give a setting in force."""
        with self.connection() as connection:
            [[value]] = connection.execute("SELECT current_setting(%s)", [name]).fetchall()
        return str(value)

    def standbys(self) -> Sequence[Standby]:
        """Give who streams from it."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT application_name, sync_state, replay_lsn >= pg_current_wal_flush_lsn()"
                " FROM pg_stat_replication WHERE state = 'streaming'"
            ).fetchall()
        return [Standby(*row) for row in rows]

    def _copy(self, leader: "PostgresMember") -> None:
        tool = self.binary.tool("pg_basebackup")
        if tool is None:
            raise Missing(f"{self.binary.program} has no pg_basebackup beside it")
        self.data.chmod(0o700)
        process.run(
            [
                *self.host.prefix,
                *(str(tool), f"--pgdata={self.data}", f"--dbname={leader.url}"),
                *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"),
                # No power cut is put to it, and the copy may be made in the middle of load.
                "--no-sync",
            ],
            self.folder,
            name="pg_basebackup",
        )


class PostgresReplica(Cluster):
    """A primary and a standby that receives its WAL as it is written; no commit waits for it."""

    kind = "postgres"
    host_count = 2
    # As long as MongoDB and Sentinel wait here.
    silence_seconds = 1.0
    sync_state = "async"
    """What the primary says of its standby."""

    @property
    def url(self) -> str:
        """Both, of which libpq takes the one that writes."""
        return self._url("read-write")

    @property
    def replica_url(self) -> str:
        """Both, of which libpq takes the standby."""
        return self._url("standby")

    def build(self) -> None:
        """Start the primary, copy it, and wait until the copy streams from it."""
        first, second, *_ = self.hosts.all
        self._primary = self._standby = self._start("postgres-0", first, None)
        self._standby = self._start("postgres-1", second, self._primary)
        self._attach()

    def primary(self) -> str:
        """Name the one that was made primary last."""
        return self._primary.name

    def settled(self) -> bool:
        """Whether the standby streams, has all that was written, and counts as it should."""
        expected = Standby(self._standby.name, self.sync_state, in_step=True)
        return self._primary.standbys() == [expected]

    @property
    def joining(self) -> Mapping[str, str]:
        """No commit waits for the standby."""
        return {_WAITED_FOR: ""}

    def read_joining(self) -> Sequence[Mapping[str, str]]:
        """Ask the primary for whom its commits wait."""
        return [{_WAITED_FOR: self._primary.setting(_WAITED_FOR)}]

    def promote(self, lost: str) -> None:
        """Fence the lost primary, and promote the standby; no commit waits for the lost one."""
        assert lost == self._primary.name, lost
        self._primary.fence(self._standby)
        self._standby.promote()
        self._primary, self._standby = self._standby, self._primary

    def rejoin(self, old: str) -> None:
        """Have an old primary that is down follow the new one."""
        if not self.members[old].pids():
            self.members[old].restart()
        self._attach()

    def check(self) -> str | None:
        """Check the primary first: the standby gets the extension that does it from there."""
        found = self._primary.check()
        self.wait_until_settled()
        return found or self._standby.check()

    def _attach(self) -> None:
        """Have the primary count on its standby as it should, and wait until it can."""
        self.wait_until_settled()

    def _url(self, wanted: str) -> str:
        places = ",".join(f"{one.host.address}:{one.port}" for one in self.members.values())
        return (
            f"postgresql://bench@{places}/bench?target_session_attrs={wanted}"
            f"&connect_timeout={CLIENT_SECONDS}&tcp_user_timeout={CLIENT_SECONDS * 1_000}"
        )

    def _start(self, name: str, host: Host, leader: PostgresMember | None) -> PostgresMember:
        return self.add(
            name,
            partial(PostgresMember, self.binary, settings=self.settings, host=host, leader=leader),
        )


class PostgresSynchronousReplica(PostgresReplica):
    """The same, and a commit waits for the standby: to have it on disk, or to have applied it."""

    sync_state = "sync"

    @property
    def joining(self) -> Mapping[str, str]:
        """A commit waits for the standby, as far as `synchronous_commit` says."""
        return {_WAITED_FOR: _quoted(self._standby.name)}

    def _attach(self) -> None:
        self._primary.require(self._standby.name)
        super()._attach()


def _quoted(name: str) -> str:
    """Give a standby's name as PostgreSQL's list of them has it."""
    return f'"{name}"'
