"""Every figure of a run as one tidy table: a row a figure, with its unit, size and trials."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bench.analysis import Summary
from bench.analysis.durability import FaultFigures
from bench.analysis.estimate import Estimate
from bench.analysis.latency import LatencyCell
from bench.report import formats
from scenarios.cost import Figure

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "scenario", "label", "durability", "workload", "operation", "connections", "fault",
    "instances", "figure", "value", "unit", "low", "high", "interval", "n_trials", "n", "n_of",
    "rank", "tie", "flags", "missing", "trials",
)  # fmt: skip
"""`n` counts what `n_of` names; `interval` says how low and high were had; `missing` says why there
is no value; `trials` are ids."""

COSTS: Mapping[Figure, str] = {
    "written_bytes": "bytes/op",
    "fsyncs": "1/op",
    "sent_bytes": "bytes/op",
    "received_bytes": "bytes/op",
}

Fields = Mapping[str, Any]


def frame(summary: Summary) -> "pd.DataFrame":
    """Give every figure of a run as a data frame with `COLUMNS`."""
    # Imported here: whoever only reads figures on a terminal shouldn't wait for it.
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(list(_rows(summary)), columns=list(COLUMNS))


def _rows(summary: Summary) -> Iterator[Fields]:
    for cell in summary.cells:
        yield from _latency(cell)
    for fault in summary.faults:
        yield from _durability(fault)
    for sight in summary.sightings:
        known = {
            "scenario": "consistency",
            "label": sight.label,
            "durability": sight.durability,
            "operation": sight.act,
            "instances": sight.instances,
            **_trials(sight.trials),
            **_counted(sight.looks, "looks"),
        }
        yield {**known, "figure": "seen at once", "value": sight.seen, "unit": "looks"}
    for races in summary.races:
        known = {
            "scenario": "consistency",
            "label": races.label,
            "durability": races.durability,
            "operation": "rotate",
            "instances": races.instances,
            **_trials(races.trials),
            **_counted(races.contested, "contested races"),
        }
        for winners, rounds in races.winners.items():
            figure = f"races with {winners} winners"
            yield {**known, "figure": figure, "value": rounds, "unit": "races"}
        yield {**known, "figure": "double spends", "value": races.double_spends, "unit": "races"}
    for token in summary.tokens:
        known = {"scenario": "tokens", "label": token.algorithm, **_counted(token.samples, "calls")}
        for name, value in (
            ("mint p50", token.mint_p50_ns),
            ("mint p99", token.mint_p99_ns),
            ("parse p50", token.parse_p50_ns),
            ("parse p99", token.parse_p99_ns),
        ):
            yield {**known, "figure": name, "value": value, "unit": "ns"}


def _latency(cell: LatencyCell) -> Iterator[Fields]:
    known = {
        "scenario": "latency",
        "label": cell.label,
        "durability": cell.durability,
        "workload": cell.workload,
        "operation": cell.operation,
        "connections": cell.connections,
        "flags": " ".join(cell.why),
        **_trials(cell.trials),
        **_counted(cell.operations, "operations"),
    }
    if "n/a" in cell.why:
        yield {**known, "figure": "throughput", "unit": "1/s"}
        return
    yield {
        **known,
        "figure": "throughput",
        "unit": "1/s",
        **_estimated(cell.throughput),
        **_rank(cell, "throughput"),
    }
    for percent, value in cell.percentiles_ns.items():
        yield {**known, "figure": f"p{percent} merged", "unit": "ns", "value": value}
    for name, estimate in (("p50", cell.p50_ns), ("p99", cell.p99_ns)):
        figure = f"{name} of trials"
        yield {**known, "figure": figure, "unit": "ns", **_estimated(estimate), **_rank(cell, name)}
    if cell.sampled and cell.sampled.half_width is not None:
        yield {
            **known,
            "figure": "known to, half width of the wider of throughput and p50",
            "unit": "1",
            "value": cell.sampled.half_width,
            "interval": f"stopped: {cell.sampled.stopped}, {cell.sampled.asked:g} asked",
        }
    if cell.server_cpu_us is not None:
        yield {**known, "figure": "server CPU", "unit": "us/op", **_estimated(cell.server_cpu_us)}
    if cell.cost is not None:
        for cost, unit in COSTS.items():
            yield {
                **known,
                "figure": f"{cost.replace('_bytes', '')} per operation",
                "unit": unit,
                **_estimated(cell.cost.per_operation.get(cost)),
                "missing": cell.cost.missing.get(cost),
            }
    for figure, unit, plain in (
        ("minimum", "ns", cell.minimum_ns),
        ("maximum", "ns", cell.maximum_ns),
        ("client CPU", "us/op", cell.client_cpu_us),
        ("capacity of one server core", "1/s", cell.core_capacity),
        ("client process, share of a core", "1", cell.client_share),
        ("clients and server, share of all cores", "1", cell.machine_share),
        ("client memory", "bytes", cell.client_rss_bytes),
        ("server memory", "bytes", cell.server_rss_bytes),
        ("errors", "calls", sum(cell.errors.values())),
    ):
        if plain is not None:
            yield {**known, "figure": figure, "unit": unit, "value": plain}


def _durability(figures: FaultFigures) -> Iterator[Fields]:
    known = {
        "scenario": "durability",
        "label": figures.label,
        "durability": figures.durability,
        "fault": figures.fault,
        **_trials(figures.trials),
        **_counted(figures.acknowledged, "acknowledged writes"),
    }
    if figures.held_by_client:
        yield {**known, "figure": "lost writes", "unit": "writes", "flags": "n/a"}
        return
    for harm, loss in figures.losses.items():
        figure = harm.replace("_", " ")
        yield {**known, "figure": figure, "unit": figure.split()[-1], "value": loss.total}
        yield {
            **known,
            "figure": f"trials with {figure}",
            "unit": "trials",
            "value": loss.trials_with,
            "high": loss.bound,
            "interval": "95% bound of the share" if loss.bound is not None else None,
        }
    for figure, unit, value in (
        ("loss window", "ns", figures.loss_window_ns),
        ("recovery, median", "ns", figures.recovery.median_ns),
        ("recovery, longest", "ns", figures.recovery.maximum_ns),
        ("recovered unknown", "operations", figures.recovered_unknown),
        ("phantoms", "families", figures.phantoms),
        ("unanswered", "operations", figures.unanswered),
    ):
        yield {**known, "figure": figure, "unit": unit, "value": value}


def _trials(ids: list[str]) -> Fields:
    return {"n_trials": len(ids), "trials": formats.trials(ids)}


def _counted(n: int, what: str) -> Fields:
    return {"n": n, "n_of": what}


def _estimated(estimate: Estimate | None) -> Fields:
    if estimate is None:
        return {}
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "interval": estimate.method,
    }


def _rank(cell: LatencyCell, metric: str) -> Fields:
    for name, rank in cell.ranks.items():
        if name == metric:
            return {"rank": rank.place, "tie": rank.tie}
    return {}
