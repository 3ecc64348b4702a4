"""Both PostgreSQL stores on real servers: what holds for every server's, and what is PostgreSQL's."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import backends
from backends.store import Place
from bench.servers.server import Server
from tests.server_store import ServerStore


@pytest.fixture
def place(start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Place]:
    """A schema of the test's own, on the server that all share."""
    server = start_server("postgres", backends.resolve("postgres").profile.server)
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
    yield Place(tmp_path, f"{server.url}?options=-csearch_path%3D{schema}")
    with psycopg.connect(server.url, autocommit=True) as admin:
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


class Common(ServerStore):
    rotation_on_the_wire = b"_pg3_"
    shorter_wait = ("backends.postgres_connection.ANSWER_SECONDS", 0.5)


class TestPsycopg(Common):
    spec = "postgres"


class TestSqlAlchemy(Common):
    spec = "postgres-sqlalchemy"
