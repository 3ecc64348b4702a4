"""Where the primary is, asked anew at each connect: `redis+sentinel://HOST:PORT,…/NAME[/DB]`.

NAME is what the Sentinels call the primary and its replicas. With `?role=replica` a connection is
to a replica, for reads that may be stale. Other options are those of a `redis://` URL.

A store on a Sentinel finds a new primary by itself: a connection that breaks, or turns out to be
to a demoted primary, asks the Sentinels again before it is used next. Until they agree on one,
every call is NotSent.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from redis import ConnectionPool
from redis.connection import parse_url
from redis.sentinel import Sentinel, SentinelConnectionPool

SENTINEL = "redis+sentinel"

# The driver leaves these untyped.
_parse_url: Callable[[str], dict[str, Any]] = parse_url
_Sentinel: Callable[..., Any] = Sentinel
_SentinelPool: Callable[..., ConnectionPool] = SentinelConnectionPool


def pool(url: str, **options: Any) -> ConnectionPool:
    """Make connections as `url` says; what it says itself goes before `options`."""
    at = urlsplit(url)
    if at.scheme != SENTINEL:
        return ConnectionPool.from_url(url, **options)
    query = parse_qs(at.query)
    role = query.pop("role", ["primary"])[0]
    name, _, database = at.path.strip("/").partition("/")
    userinfo, _, places = at.netloc.rpartition("@")
    # Everything but the places is as in a redis:// URL, so the driver reads it.
    read = _parse_url(f"redis://{userinfo}@/{database or 0}?{urlencode(query, doseq=True)}")
    sentinels = [
        (host, int(port)) for host, _, port in (p.rpartition(":") for p in places.split(","))
    ]
    given = {**options, **read}
    asked = {
        key: value for key, value in given.items() if key.startswith("socket_") or key == "retry"
    }
    manager = _Sentinel(sentinels, sentinel_kwargs=asked)
    return _SentinelPool(name, manager, is_master=role != "replica", **given)
