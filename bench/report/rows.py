"""Parts of a row of `figures.csv`: an estimate, its trials, and what an operation cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.analysis.cost import CostFigures, Spending
from bench.analysis.estimate import Estimate
from bench.analysis.latency import Metric, Rank
from bench.report import formats
from scenarios.cost import Figure

Fields = Mapping[str, Any]

COSTS: Mapping[Figure, str] = {
    "written_bytes": "bytes/op",
    "fsyncs": "1/op",
    "sent_bytes": "bytes/op",
    "received_bytes": "bytes/op",
}


def trials(ids: Sequence[str]) -> Fields:
    """Say which trials a figure comes from."""
    return {"n_trials": len(ids), "trials": formats.trials(ids)}


def counted(n: int, what: str) -> Fields:
    """Say of how many a figure is."""
    return {"n": n, "n_of": what}


def estimated(estimate: Estimate | None) -> Fields:
    """Give the value and its interval; nothing where there is none."""
    if estimate is None:
        return {}
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "interval": estimate.method,
    }


def placed(ranks: Mapping[Metric, Rank], metric: Metric) -> Fields:
    """Give the place in its class, if a figure has one."""
    rank = ranks.get(metric)
    return {"rank": rank.place, "tie": rank.tie} if rank else {}


def searched(orders: Mapping[str, int], wrong: int) -> Iterator[Fields]:
    """Give a row for each way in which the search that cross-checks verdicts ended, if it ran."""
    if not orders:
        return
    ends = {**dict(sorted(orders.items())), "disagrees with the checkers": wrong}
    known = {"unit": "families", **counted(sum(orders.values()), "families searched")}
    for end, families in ends.items():
        yield {**known, "figure": f"search: {end}", "value": families}


def spending(known: Fields, spent: Spending) -> Iterator[Fields]:
    """Give a row for everything that an operation took."""
    yield {**known, "figure": "client CPU", "unit": "us/op", "value": spent.client_cpu_us}
    if spent.server_cpu_us is not None:
        yield server_cpu(known, spent.server_cpu_us)
    yield from costs(known, spent.cost)


def server_cpu(known: Fields, figure: Estimate) -> Fields:
    """Give the row of the server's CPU per operation."""
    return {**known, "figure": "server CPU", "unit": "us/op", **estimated(figure)}


def memory(known: Fields, client_bytes: int | None, server_bytes: int | None) -> Iterator[Fields]:
    """Give a row for each part's memory that was looked at."""
    for figure, size_bytes in (("client memory", client_bytes), ("server memory", server_bytes)):
        if size_bytes is not None:
            yield {**known, "figure": figure, "unit": "bytes", "value": size_bytes}


def costs(known: Fields, cost: CostFigures) -> Iterator[Fields]:
    """Give a row for disk, fsyncs and network each, with the reason where there is no figure."""
    for name, unit in COSTS.items():
        yield {
            **known,
            "figure": f"{name.replace('_bytes', '')} per operation",
            "unit": unit,
            **estimated(cost.per_operation.get(name)),
            "missing": cost.missing.get(name),
        }
