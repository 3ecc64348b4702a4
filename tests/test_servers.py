"""Real servers: started, configured, stopped, killed, restarted, and gone."""

import contextlib
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from pymongo import MongoClient

from bench import guardian, servers
from bench.errors import Failed
from bench.servers.binary import Binary
from bench.servers.local import LocalServer
from bench.servers.process import Port
from bench.servers.server import Found
from bench.workspace import Workspace
from tests.server_clients import got, put

Start = Callable[..., LocalServer]

KINDS = pytest.mark.parametrize("kind", servers.KINDS)
KEPT = {
    "redis": {"appendonly": "yes", "appendfsync": "everysec"},
    "postgres": {"synchronous_commit": "on"},
    "mongo": {},
}
"""Settings under which what was acknowledged survives SIGKILL."""


@KINDS
def test_a_server_says_its_version_and_listens_on_loopback_alone(
    kind: str, start_server: Start
) -> None:
    """What was found is what answers, and no other machine can reach it."""
    found = servers.find(kind)
    server = start_server(kind)
    assert isinstance(found, Found)
    assert server.version() == found.version
    assert server.faultable
    pids = set(server.pids())
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.laddr and connection.pid in pids
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_redis_settings_are_in_force(start_server: Start) -> None:
    """A profile's words, also several or none in a value, are what the server says it has."""
    given = {"appendonly": "yes", "appendfsync": "always", "save": "3600 1 300 100"}
    with redis.Redis.from_url(start_server("redis", given).url, decode_responses=True) as client:
        assert client.config_get(*given) == given
    with redis.Redis.from_url(
        start_server("redis", {"save": ""}).url, decode_responses=True
    ) as client:
        assert client.config_get("save") == {"save": ""}


def test_postgres_settings_are_in_force(start_server: Start) -> None:
    """A profile's settings hold for every connection; the cluster has checksums, C and UTF8."""
    wanted = {"synchronous_commit": "off", "fsync": "off"}
    with psycopg.connect(start_server("postgres", wanted).url) as connection:
        for name in ("synchronous_commit", "fsync"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("off",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute(
            "SELECT datcollate, pg_encoding_to_char(encoding), current_user FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone() == ("C", "UTF8", "bench")


def test_a_replica_set_of_one_takes_majority_writes(start_server: Start) -> None:
    """`replSet` gives a primary that acknowledges by majority, at the address clients use."""
    server = start_server("mongo", {"replSet": "rs0"})
    with MongoClient[dict[str, object]](server.url, w="majority") as client:
        hello = client.admin.command("hello")
        assert (hello["setName"], hello["isWritablePrimary"]) == ("rs0", True)
        assert hello["me"] == f"127.0.0.1:{server.port}"
        client["refreshbench"][secrets.token_hex(4)].insert_one({})


def test_a_server_parameter_of_mongo_is_in_force(start_server: Start) -> None:
    """`setParameter.name` reaches mongod as a parameter."""
    server = start_server("mongo", {"setParameter.ttlMonitorSleepSecs": "7"})
    with MongoClient[dict[str, object]](server.url) as client:
        answer = client.admin.command({"getParameter": 1, "ttlMonitorSleepSecs": 1})
        assert answer["ttlMonitorSleepSecs"] == 7


@KINDS
def test_a_graceful_restart_keeps_data_and_url(kind: str, fresh_server: Start) -> None:
    """After `stop` no process is left; after `restart` clients find all as it was."""
    server = fresh_server(kind)
    url = server.url
    put(server, "graceful")
    server.stop()
    assert server.pids() == []
    server.restart()
    assert (server.url, got(server)) == (url, "graceful")
    assert server.check() is None


@KINDS
def test_sigkill_leaves_what_the_profile_promises(kind: str, fresh_server: Start) -> None:
    """An acknowledged write survives SIGKILL of every process, more than once."""
    server = fresh_server(kind, KEPT[kind])
    url = server.url
    put(server, "crash")
    for _ in range(2):
        server.kill()
        assert server.pids() == []
        server.restart()
    assert (server.url, got(server)) == (url, "crash")
    assert server.check() is None


def test_a_server_in_memory_loses_all_when_it_is_killed(fresh_server: Start) -> None:
    """The control: without it, the test above could pass with a kill that kills nothing."""
    server = fresh_server("redis", {"save": "", "appendonly": "no"})
    put(server, "memory")
    server.kill()
    server.restart()
    assert got(server) is None


def test_kill_ends_the_processes_that_serve_connections_too(fresh_server: Start) -> None:
    """PostgreSQL has a process a connection, with a session of its own; none outlives the kill."""
    server = fresh_server("postgres")
    with psycopg.connect(server.url) as connection:
        pids = server.pids()
        assert connection.info.backend_pid in pids
        assert len(pids) > 5
        server.kill()
        assert [pid for pid in pids if guardian.start_ticks(pid)] == []
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_killed_server_leaves_no_shared_memory(fresh_server: Start) -> None:
    """SIGKILL keeps PostgreSQL from freeing its segments, so `close` does."""
    server = fresh_server("postgres")
    with psycopg.connect(server.url):
        mapped = {path for pid in server.pids() for path in _mapped(pid)}
    [ledger] = server.folder.glob(guardian.LEDGER)
    [segment] = re.findall(r'"segments": \[(\d+)\]', ledger.read_text())
    assert mapped
    assert segment in _segments()
    server.kill()
    server.close()
    assert [path for path in mapped if path.exists()] == []
    assert segment not in _segments()


def _mapped(pid: int) -> set[Path]:
    """Give the files in shared memory that `pid` maps; a worker may have ended meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess):
        paths = {region.path for region in psutil.Process(pid).memory_maps()}
        return {Path(path) for path in paths if path.startswith("/dev/shm/")}
    return set()


def _segments() -> set[str]:
    """Give the ids of all System V shared memory."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


@KINDS
def test_servers_started_at_once_do_not_collide(kind: str, fresh_server: Start) -> None:
    """Each has a port and data of its own, whichever thread asks for it."""
    with ThreadPoolExecutor() as pool:
        several = list(pool.map(lambda _: fresh_server(kind), range(3)))
    assert len({server.url for server in several}) == 3
    for number, server in enumerate(several):
        put(server, str(number))
    assert [got(server) for server in several] == ["0", "1", "2"]


def test_a_server_outlives_the_thread_that_started_it(fresh_server: Start) -> None:
    """A parent-death signal is sent when the forking thread ends; ours never does."""
    started: list[LocalServer] = []
    thread = threading.Thread(target=lambda: started.append(fresh_server("redis")))
    thread.start()
    thread.join()
    put(started[0], "alive")
    assert got(started[0]) == "alive"


def test_a_port_stays_ours_while_its_server_is_down(fresh_server: Start) -> None:
    """Neither another server nor a client's own end can take it before the restart."""
    server = fresh_server("redis")
    server.kill()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))
    port = Port()
    assert port.number != server.port
    port.release()
    server.restart()


@KINDS
def test_a_port_in_use_is_a_clear_failure(kind: str, fresh_server: Start) -> None:
    """Where a stranger listens on the server's port, its last words say that the address is taken.

    The stranger must not pass for the server, though it accepts connections.
    """
    server = fresh_server(kind)
    server.kill()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", server.port))
        stranger.listen()
        with pytest.raises(Failed, match=r"(?i)died at start.*address already in use") as failure:
            server.restart()
    assert "\n" not in str(failure.value)


@KINDS
def test_an_unknown_setting_is_a_clear_failure(
    kind: str, workspace: Workspace, fresh_server: Start
) -> None:
    """The server dies at start; its last words name the setting, and nothing stays behind."""
    before = set(workspace.path.iterdir())
    with pytest.raises(Failed, match=r"died at start.*no_such_setting") as failure:
        fresh_server(kind, {"no_such_setting": "1"})
    assert "\n" not in str(failure.value)
    assert set(workspace.path.iterdir()) == before


def test_stop_and_restart_out_of_turn_are_refused(fresh_server: Start) -> None:
    """A fault that was forgotten must not pass for one that was survived."""
    server = fresh_server("redis")
    with pytest.raises(Failed, match="still runs"):
        server.restart()
    server.stop()
    with pytest.raises(Failed, match="doesn't run"):
        server.stop()


@KINDS
def test_close_removes_everything_and_may_be_called_again(kind: str, fresh_server: Start) -> None:
    """Its processes and its folder are gone, and nobody listens any more."""
    server = fresh_server(kind)
    pids = server.pids()
    server.close()
    server.close()
    assert not server.folder.exists()
    assert [pid for pid in pids if guardian.start_ticks(pid)] == []
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", server.port))


def test_a_torn_append_only_file_is_reported(fresh_server: Start) -> None:
    """Redis cuts a torn tail off and goes on; the check says that it did."""
    server = fresh_server("redis", KEPT["redis"])
    put(server, "whole")
    server.kill()
    [log] = server.data.glob("*/*.incr.aof")
    log.write_bytes(log.read_bytes() + b"*3\r\n$3\r\nSET\r\n$4\r\nkept\r\n$5\r\nto")
    server.restart()
    assert got(server) == "whole"
    assert "truncat" in (server.check() or "").lower()


@pytest.mark.parametrize("tool", ["pg_amcheck", None])
def test_a_corrupt_table_is_reported(
    tool: str | None, fresh_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes changed on disk fail their page's checksum, with pg_amcheck and without."""
    server = fresh_server("postgres")
    if tool is None:
        monkeypatch.setattr(Binary, "tool", lambda *_: None)
    put(server, "whole")
    assert server.check() is None
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT pg_relation_filepath('kept')").fetchone()
    assert row is not None
    server.stop()
    with (server.data / row[0]).open("r+b") as table:
        table.seek(-20, os.SEEK_END)
        table.write(b"torn")
    server.restart()
    assert re.search("invalid page|checksum", server.check() or "")
