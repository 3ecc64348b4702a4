"""What a driver says, as one line of ours that gives no password away."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.errors import Failed, RefreshbenchError

_LONGEST = 200


@contextmanager
def driver_errors(url: str) -> Iterator[None]:
    """Turn whatever a driver raises in talking to `url` into Failed."""
    try:
        yield
    except RefreshbenchError:
        raise
    except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
        said = (str(error) or type(error).__name__).splitlines()[0][:_LONGEST]
        if any(secret in said for secret in _secrets(url)):
            said = type(error).__name__
        # Not `from error`: a traceback would print it.
        raise Failed(f"{without_password(url)}: {said}") from None


def without_password(url: str) -> str:
    """Give scheme, user, host and database: enough to know it by, nothing that opens it."""
    at = urlsplit(url)
    userinfo, _, host = at.netloc.rpartition("@")
    user = userinfo.partition(":")[0]
    return f"{at.scheme}://{user}{'@' if user else ''}{host}{at.path}"


def _secrets(url: str) -> Iterator[str]:
    at = urlsplit(url)
    password = at.netloc.rpartition("@")[0].partition(":")[2]
    in_query = (value for name, value in parse_qsl(at.query) if "pass" in name.lower())
    for secret in (password, *in_query):
        if secret:
            yield from (secret, unquote(secret))
