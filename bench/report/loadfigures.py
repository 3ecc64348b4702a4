"""The open loop's figures as rows of `figures.csv`."""

from collections.abc import Iterator, Sequence

from bench.analysis.load import Capacity, LoadStep
from bench.report import rows
from bench.report.rows import Fields


def load_rows(steps: Sequence[LoadStep], capacities: Sequence[Capacity]) -> Iterator[Fields]:
    """Give a row a figure."""
    for step in steps:
        yield from _step(step)
    for capacity in capacities:
        yield from _capacity(capacity)


def _step(step: LoadStep) -> Iterator[Fields]:
    known = {
        "scenario": "load",
        "label": step.label,
        "durability": step.durability,
        "connections": step.connections,
        "workload": "capacity" if step.place is None else f"{step.place:g}",
        "flags": " ".join(step.why),
        **rows.trials(step.trials),
        **rows.counted(step.offered, "operations offered"),
    }
    yield {**known, "figure": "offered", "unit": "1/s", **rows.estimated(step.rate)}
    for what, percentiles in (
        ("response", step.response_ns),
        ("service", step.service_ns),
        ("lag", step.lag_ns),
        ("pacing", step.pacing_ns),
        ("tokens", step.tokens_ns),
    ):
        for percent, value in percentiles.items():
            yield {**known, "figure": f"{what} p{percent}", "unit": "ns", "value": value}
    for what in ("ok", "late", "failed", "dropped", "in_flight"):
        figure = what.replace("_", " ")
        yield {**known, "figure": figure, "unit": "operations", "value": getattr(step, what)}
    share = {"figure": "client process, share of a core", "unit": "1", "value": step.client_share}
    yield {**known, **share}
    if step.spent is not None:
        yield from rows.spending(known, step.spent)
    yield from rows.memory(known, step.client_rss_bytes, step.server_rss_bytes)


def _capacity(capacity: Capacity) -> Iterator[Fields]:
    known = {
        "scenario": "load",
        "label": capacity.label,
        "durability": capacity.durability,
        "connections": capacity.connections,
        "flags": " ".join(capacity.why),
        **rows.trials(capacity.trials),
    }
    for figure, found in (
        ("capacity", capacity.rate),
        ("lowest rate not carried", capacity.fails_at),
        ("closed loop", capacity.closed_rate),
        ("capacity of one server core", capacity.core),
    ):
        if found is not None:
            ranks = capacity.ranks if figure == "capacity" else {}
            place = rows.placed(ranks, "throughput")
            yield {**known, "figure": figure, "unit": "1/s", **rows.estimated(found), **place}
