"""What a phase cost beside time: the server's part and the workers' put together."""

from collections.abc import Iterable

from bench import meter
from bench.phases.stage import Stage
from scenarios.cost import DISK, NETWORK, Cost, added

NOT_OURS = "the server is yours, and may be on another host: its processes aren't looked at"


def cost(stage: Stage, server: meter.Spent, clients: Iterable[Cost | None]) -> Cost:
    """Take disk and fsyncs from the server where there is one, else from whom the store is in."""
    together = added([one for one in clients if one is not None])
    if stage.server is None:
        return together
    if not server.seen:
        written, fsyncs = None, None
        missing = dict.fromkeys(DISK, NOT_OURS)
    else:
        written, fsyncs, missing = server.written_bytes, server.fsyncs, server.missing
    network = {name: why for name, why in together.missing.items() if name in NETWORK}
    return together.model_copy(
        update={"written_bytes": written, "fsyncs": fsyncs, "missing": {**network, **missing}}
    )
