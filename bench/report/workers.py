"""Who made the load, in words."""

from bench.analysis.workers import WorkerFigures
from bench.report import formats


def told(found: WorkerFigures) -> str:
    """Say how many workers there were, where, and how well their clocks were known."""
    parts = []
    if found.workers:
        parts.append(f"load came from up to {formats.count(found.workers, 'worker')}")
    if found.instances:
        instances = formats.count(found.instances, "app instance")
        parts.append(f"those who raced were up to {instances} (a process each)")
    who = ", and ".join(parts)
    error = f"± {formats.milliseconds(found.largest_error_ns)} ms"
    if not found.elsewhere:
        where = "on the runner's own host, by its clock"
    elif not found.translated:
        where = f"on {formats.count(found.hosts, 'host')}, all by the runner's own clock"
    else:
        where = (
            f"on {formats.count(found.hosts, 'host')}; instants were translated to each clock,"
            f" known to {error} at worst"
        )
    return f"{who[0].upper()}{who[1:]} {where}."
