"""When a replica of Redis is in step: connected is not enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bench.servers.redis_sentinel import follows


class Told:
    """Stands for a server that says this of its replication."""

    def __init__(self, **about: Any) -> None:
        self.host = SimpleNamespace(address="127.0.0.1")
        self.port = 6379
        self.about = about

    @contextmanager
    def client(self, _seconds: float) -> Iterator[Any]:
        """Answer INFO alone."""
        yield SimpleNamespace(info=lambda _section: self.about)


def replica(offset: int, **other: Any) -> Any:
    return Told(
        **{
            "role": "slave",
            "master_host": "127.0.0.1",
            "master_port": 6379,
            "master_link_status": "up",
            "master_sync_in_progress": 0,
            "slave_repl_offset": offset,
            **other,
        }
    )


@pytest.mark.parametrize(("offset", "expected"), [(99, False), (100, True), (114, True)])
def test_a_replica_is_in_step_once_it_has_what_the_primary_has(
    offset: int, *, expected: bool
) -> None:
    """A link that is up says nothing of what is still on its way; a ping since then is no lack."""
    leader: Any = Told(role="master", master_repl_offset=100)
    assert follows(replica(offset), leader) is expected


@pytest.mark.parametrize(
    "other",
    [
        {"role": "master"},
        {"master_port": 6380},
        {"master_link_status": "down"},
        {"master_sync_in_progress": 1},
    ],
)
def test_who_follows_another_or_nobody_is_not_in_step(other: dict[str, Any]) -> None:
    """Whatever its offset is."""
    leader: Any = Told(role="master", master_repl_offset=100)
    assert not follows(replica(100, **other), leader)
