"""Sessions in batches: what a bulk load holds at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from backends.store import Session

BATCH = 5_000
"""Large enough that what a batch costs beside its sessions vanishes; some 5 MB."""


def batches(sessions: Iterable[Session], size: int = BATCH) -> Iterator[Sequence[Session]]:
    """Cut what may be endless into batches of at most `size`, each read when it is asked for."""
    left = iter(sessions)
    while batch := tuple(islice(left, size)):
        yield batch
