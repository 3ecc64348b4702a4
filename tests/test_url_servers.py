"""Servers of the user's own, named by URL: a guest leaves everything as it found it."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import redis
from pymongo import MongoClient

from bench import servers, subjects
from bench.errors import Failed, WrongUse
from bench.servers.server import Found, Server, Unavailable

Start = Callable[..., Server]
PASSWORD = "s3cr/t@pass word"
VARIABLES = {kind: f"REFRESHBENCH_{kind.upper()}_URL" for kind in servers.KINDS}


def user_url(server: Server, name: str = "user", password: str = PASSWORD) -> str:
    """Give the server's URL with an account in it."""
    at = urlsplit(server.url)
    host = at.netloc.rpartition("@")[2]
    return at._replace(netloc=f"{name}:{quote(password, safe='')}@{host}").geturl()


def guest(kind: str, folder: Path, settings: dict[str, str] | None = None) -> Server:
    """Start one by the variable alone, as `--servers auto` does."""
    found = servers.find(kind)
    assert isinstance(found, Found)
    assert found.way == "url"
    return servers.start(found, folder, settings or {})


def test_postgres_gives_us_a_schema_of_our_own(
    start_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The user's table of the same name is neither seen nor lost; our schema is gone at the end."""
    theirs = start_server("postgres")
    with psycopg.connect(theirs.url) as connection:
        connection.execute("CREATE TABLE guests (name text)")
        connection.execute("INSERT INTO guests VALUES ('user')")
    monkeypatch.setenv(VARIABLES["postgres"], theirs.url + "?application_name=mine")
    server = guest("postgres", tmp_path, {"fsync": "on"})
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW application_name").fetchone() == ("mine",)
        connection.execute("CREATE TABLE guests (name text)")
        assert connection.execute("SELECT * FROM guests").fetchall() == []
    server.close()
    server.close()
    with psycopg.connect(theirs.url) as connection:
        assert connection.execute("SELECT * FROM guests").fetchall() == [("user",)]
        assert connection.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'refreshbench%'"
        ).fetchone() == (0,)
        connection.execute("DROP TABLE guests")


def test_mongo_gives_us_a_database_of_our_own(
    start_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The user's databases stay, ours goes; its name is in the URL that the store opens."""
    theirs = start_server("mongo")
    with MongoClient[dict[str, str]](theirs.url) as client:
        client["refreshbench"]["guests"].insert_one({"name": "user"})
        before = set(client.list_database_names())
        monkeypatch.setenv(VARIABLES["mongo"], theirs.url)
        server = guest("mongo", tmp_path)
        with MongoClient[dict[str, str]](server.url) as ours:
            ours.get_default_database()["guests"].insert_one({"name": "guest"})
            assert len(set(client.list_database_names()) - before) == 1
        server.close()
        server.close()
        assert set(client.list_database_names()) == before
        found = client["refreshbench"]["guests"].find_one()
        assert found is not None
        assert found["name"] == "user"
        client.drop_database("refreshbench")


def test_redis_gives_us_an_empty_database(
    fresh_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only the database that the URL names is emptied at the end, and it had to be empty."""
    theirs = fresh_server("redis")
    at = theirs.url.removesuffix("/0")
    with redis.Redis.from_url(f"{at}/0") as client:
        client.set("theirs", "user")
    monkeypatch.setenv(VARIABLES["redis"], f"{at}/9")
    server = guest("redis", tmp_path)
    with redis.Redis.from_url(server.url) as client:
        client.set("ours", "guest")
    server.close()
    with redis.Redis.from_url(f"{at}/0") as client:
        assert client.get("theirs") == b"user"
    with redis.Redis.from_url(f"{at}/9") as client:
        assert client.dbsize() == 0


def test_a_redis_database_that_holds_anything_is_refused(
    fresh_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Found out before the start, and again at it; what is there stays, and no other is taken."""
    theirs = fresh_server("redis")
    monkeypatch.setenv(VARIABLES["redis"], theirs.url)
    found = servers.find("redis")
    assert isinstance(found, Found)
    with redis.Redis.from_url(theirs.url) as client:
        client.set("theirs", "user")
        with pytest.raises(WrongUse, match="name an empty one"):
            servers.start(found, tmp_path, {})
        answer = servers.find("redis")
        assert isinstance(answer, Unavailable)
        assert "holds 1 keys" in answer.reason
        assert "empty" in answer.mend
        assert client.get("theirs") == b"user"


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_server_of_the_users_is_never_stopped_or_killed(
    kind: str, start_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each refusal is one clear line, and the server goes on."""
    settings = {"maxclients": "99"} if kind == "redis" else {}
    monkeypatch.setenv(VARIABLES[kind], start_server(kind, settings).url)
    server = guest(kind, tmp_path)
    assert not server.faultable
    assert server.pids() == ()
    for act in (server.stop, server.kill, server.restart, server.check):
        with pytest.raises(Failed, match="is yours"):
            act()
    assert server.version()
    server.close()


@pytest.mark.parametrize(
    ("kind", "has", "needs"),
    [
        ("redis", {"appendfsync": "everysec"}, {"appendfsync": "always"}),
        ("postgres", {}, {"synchronous_commit": "off"}),
        ("mongo", {}, {"replSet": "rs0"}),
    ],
)
def test_settings_that_a_profile_needs_have_to_be_there(
    kind: str,
    has: dict[str, str],
    needs: dict[str, str],
    start_server: Start,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """They are read, never set: a profile that the server hasn't got is refused."""
    monkeypatch.setenv(VARIABLES[kind], start_server(kind, has).url)
    with pytest.raises(WrongUse, match="the profile needs"):
        guest(kind, tmp_path, needs)
    guest(kind, tmp_path, has).close()


def test_any_replica_set_will_do(
    start_server: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its name is the user's business."""
    monkeypatch.setenv(VARIABLES["mongo"], start_server("mongo", {"replSet": "other"}).url)
    guest("mongo", tmp_path, {"replSet": "rs0"}).close()


def _with_account(server: Server) -> None:
    """Make the account `user` with the password, and have the server ask for it."""
    if server.kind == "redis":
        with redis.Redis.from_url(server.url) as client:
            client.acl_setuser(
                "user", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"]
            )
    elif server.kind == "postgres":
        with psycopg.connect(server.url) as connection:
            connection.execute(psycopg.sql.SQL('CREATE USER "user" PASSWORD {}').format(PASSWORD))
            connection.execute('GRANT CREATE ON DATABASE bench TO "user"')
    else:
        with MongoClient[dict[str, str]](server.url) as client:
            client["accounts"].command(
                "createUser", "user", pwd=PASSWORD, roles=[{"role": "root", "db": "admin"}]
            )


@pytest.mark.parametrize("kind", servers.KINDS)
def test_an_account_is_used_and_its_password_never_shown(
    kind: str,
    fresh_server: Start,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in what is found, not in a refusal, not in what a driver says of a wrong one."""
    theirs = fresh_server(kind)
    _with_account(theirs)
    url = user_url(theirs)
    if kind == "mongo":
        # Accounts live in a database of the user's choice; ours is another.
        url = url.replace("/?", "/accounts?")
    monkeypatch.setenv(VARIABLES[kind], url)
    found = servers.find(kind)
    assert isinstance(found, Found)
    assert "user@127.0.0.1" in found.detail
    said = [repr(found)]
    server = servers.start(found, tmp_path, {})
    said += [server.version(), repr(server)]
    server.close()
    theirs.stop()
    gone = servers.find(kind)
    assert isinstance(gone, Unavailable)
    said.append(repr(gone))
    for text in [*said, caplog.text]:
        assert "s3cr" not in text


@pytest.mark.parametrize("kind", servers.KINDS)
@pytest.mark.parametrize(
    "password", ["s3cr/t", "s3cr@t", "12/s3cr", "1?s3cr", "1#s3cr", "s3cr[", "%zzs3cr", "s3cr%"]
)
def test_a_url_that_is_written_wrong_gives_no_part_of_its_password_away(
    kind: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers quote the piece that they stumbled over; we don't."""
    scheme = {"redis": "redis", "postgres": "postgresql", "mongo": "mongodb"}[kind]
    monkeypatch.setenv(VARIABLES[kind], f"{scheme}://user:{password}@127.0.0.1:1/x")
    answer = servers.find(kind)
    assert isinstance(answer, Unavailable)
    assert "s3cr" not in repr(answer)
    assert VARIABLES[kind] in answer.mend


def test_a_url_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything connects; the message says how one begins."""
    monkeypatch.setenv(VARIABLES["redis"], "postgresql://user@127.0.0.1/x")
    answer = servers.find("redis")
    assert isinstance(answer, Unavailable)
    assert "begins with redis://" in answer.reason


def test_a_run_knows_beforehand_what_the_users_server_can_be_put_through(
    start_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile it hasn't got is refused by name and skipped by default; no fault is planned."""
    theirs = start_server(
        "redis", {"appendonly": "no", "save": "", "maxmemory-policy": "noeviction"}
    )
    monkeypatch.setenv(VARIABLES["redis"], theirs.url.removesuffix("/0") + "/8")
    with pytest.raises(WrongUse, match="the profile needs"):
        subjects.named(["redis:none", "redis:aof-always"], "url")
    assert subjects.named(["redis:none", "memory"], "url").spared == ["redis:none"]
    chosen = subjects.available(["redis:none", "redis:aof-always"], "url")
    assert [subject.spec for subject in chosen.subjects] == ["redis:none"]
    [skipped] = chosen.skipped
    assert skipped.spec == "redis:aof-always"
    assert "the profile needs" in skipped.reason
    assert "take another profile" in skipped.mend
