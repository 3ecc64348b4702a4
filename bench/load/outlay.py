"""What a block of work costs a worker process: CPU, memory, disk, and bytes over its connections.

Runs inside a worker process, whose store `bench.load.worker` has opened.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import meter, traffic
from scenarios.cost import NETWORK, Cost

NO_CONNECTION = "its clients hold no TCP connection"


@dataclass(slots=True)
class Outlay:
    """What the process spent in a `laid_out` block; filled in at its end."""

    cpu_ns: int = 0
    rss_bytes: int = 0
    cost: Cost = field(
        default_factory=lambda: Cost(
            written_bytes=None, fsyncs=None, sent_bytes=None, received_bytes=None, missing={}
        )
    )


@contextlib.contextmanager
def laid_out(strangers: frozenset[traffic.Peer], *, inside: bool) -> Iterator[Outlay]:
    """Count what this process spends; `strangers` are its peers that aren't the store.

    Disk and fsyncs are looked at only where the store is `inside` the process.
    """
    outlay = Outlay()
    before = traffic.flows(strangers)
    with meter.metered(lambda: [os.getpid()], disk=inside) as spent:
        yield outlay
    flow = traffic.between(before, traffic.flows(strangers))
    sent, received = flow or (None, None)
    outlay.cpu_ns, outlay.rss_bytes = spent.cpu_ns, spent.memory_bytes
    outlay.cost = Cost(
        written_bytes=spent.written_bytes,
        fsyncs=spent.fsyncs,
        sent_bytes=sent,
        received_bytes=received,
        missing={**spent.missing, **({} if flow else dict.fromkeys(NETWORK, NO_CONNECTION))},
    )
