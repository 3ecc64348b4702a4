"""redis-server, ours."""

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import split

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bench.servers import process
from bench.servers.driver_errors import driver_errors
from bench.servers.local import LocalServer

_LOADED_WITH_LOSS = re.compile(
    r"truncat|Bad file format|Unexpected end of file|Short read|Internal error in RDB",
    re.IGNORECASE,
)


class RedisServer(LocalServer):
    """Settings are those of redis.conf; several words in a value are several arguments."""

    kind = "redis"
    # Saves first where save points are set, as SHUTDOWN does.
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """Database 0."""
        return f"redis://{self.host.address}:{self.port}/0"

    def command(self) -> Sequence[str]:
        """Give settings as arguments: the same words as in redis.conf."""
        given = {
            "dir": str(self.data),
            "bind": self.host.address,
            # It lets in nobody but loopback; a namespace is reached from nowhere but this machine.
            "protected-mode": "no" if self.host.namespace else "yes",
        }
        words = [str(self.binary.program), "--port", str(self.port)]
        for name, value in given.items():
            words += [f"--{name}", value]
        for name, value in self.settings.items():
            words += [f"--{name}", *(split(value) or [""])]
        return words

    def ask(self) -> None:
        """PING; it says LOADING while it reads its files."""
        with self.client() as client:
            client.ping()

    def version(self) -> str:
        """`redis_version` of INFO."""
        with self.client() as client:
            return str(client.info("server")["redis_version"])

    def check(self) -> str | None:
        """See what it said when it loaded its files, and have its own checkers read them.

        After a crash the server cuts a torn tail off the append-only file and goes on: that is in
        its log alone, since the file is whole again.
        """
        lines = self.log().splitlines()
        if found := [line for line in lines if _LOADED_WITH_LOSS.search(line)]:
            return process.last_lines("\n".join(found))
        for checker, path in self._kept():
            # One program is all three: it goes by the name it is called with (redis server.c).
            done = subprocess.run(
                [checker, path],
                executable=self.binary.program,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=60,
            )
            if done.returncode != 0:
                return f"{checker}: {process.last_lines(done.stdout + done.stderr)}"
        return None

    def _kept(self) -> Iterator[tuple[str, Path]]:
        for manifest in self.data.glob("*/*.manifest"):
            yield "redis-check-aof", manifest
        for snapshot in self.data.glob("*.rdb"):
            if not snapshot.name.startswith("temp-"):
                yield "redis-check-rdb", snapshot

    def setting(self, name: str) -> str:
        """Give a setting in force."""
        with self.client() as client:
            return str(client.config_get(name)[name])

    @contextmanager
    def client(self, seconds: float = 10) -> Iterator[Redis]:
        """Connect to it; an answer may take `seconds`. Raises Failed for the driver's errors."""
        with (
            driver_errors(self.url),
            Redis(
                self.host.address,
                self.port,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=seconds,
                socket_timeout=seconds,
            ) as client,
        ):
            yield client
