"""One value put into a server of any kind, and read back, as a client would."""

import psycopg
import redis
from pymongo import MongoClient

from bench.servers.server import Server


def put(server: Server, value: str) -> None:
    """Write as a client would, acknowledged."""
    if server.kind == "redis":
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", value)
    elif server.kind == "postgres":
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (value text PRIMARY KEY)")
            connection.execute("INSERT INTO kept VALUES (%s)", [value])
    else:
        with MongoClient[dict[str, str]](server.url, journal=True) as client:
            client["refreshbench"]["kept"].insert_one({"value": value})


def got(server: Server) -> str | None:
    """Read back what `put` wrote."""
    if server.kind == "redis":
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            found = client.get("kept")
            return None if found is None else str(found)
    if server.kind == "postgres":
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SELECT value FROM kept").fetchone()
            return None if row is None else str(row[0])
    with MongoClient[dict[str, str]](server.url) as client:
        document = client["refreshbench"]["kept"].find_one()
        return None if document is None else document["value"]
