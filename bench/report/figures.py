"""Every figure of a run as one tidy table: a row a figure, with its unit, size and trials."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bench.analysis import Summary
from bench.analysis.durability import FaultFigures, Harm
from bench.analysis.estimate import Estimate
from bench.analysis.latency import LatencyCell, Metric
from bench.analysis.scale import ScaleFigures
from bench.analysis.soak import SoakSeries
from bench.report import rows
from bench.report.balancerfigures import balancer_rows
from bench.report.loadfigures import load_rows
from bench.report.losscells import vacuous, why_vacuous
from bench.report.racefigures import race_rows
from bench.report.rows import Fields
from bench.report.topologyfigures import topology_rows

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "scenario", "label", "durability", "workload", "operation", "connections", "fault",
    "instances", "sessions", "figure", "value", "unit", "low", "high", "interval", "n_trials",
    "n", "n_of", "rank", "tie", "flags", "missing", "trials",
)  # fmt: skip
"""`n` counts what `n_of` names; `interval` says how low and high were had; `missing` says why there
is no value; `trials` are ids."""
UNITS: Mapping[Harm, str] = {
    "lost_writes": "writes",
    "lost_sessions": "sessions",
    "resurrected_rotated": "sessions",
    "resurrected_revoked": "sessions",
}


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
    yield from race_rows(summary)
    for size in summary.scale:
        yield from _scale(size)
    for series in summary.soak:
        yield from _soak(series)
    yield from load_rows(summary.load, summary.capacities)
    yield from balancer_rows(summary.balancers)
    yield from topology_rows(summary.failovers, summary.staleness)
    for token in summary.tokens:
        known = {
            "scenario": "tokens",
            "label": token.algorithm,
            **rows.counted(token.samples, "calls"),
        }
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
        **rows.trials(cell.trials),
        **rows.counted(cell.operations, "operations"),
    }
    if "n/a" in cell.why:
        yield {**known, "figure": "throughput", "unit": "1/s"}
        return
    yield {
        **known,
        "figure": "throughput",
        "unit": "1/s",
        **rows.estimated(cell.throughput),
        **rows.placed(cell.ranks, "throughput"),
    }
    for percent, value in cell.percentiles_ns.items():
        yield {**known, "figure": f"p{percent} merged", "unit": "ns", "value": value}
    ranked: Mapping[Metric, Estimate | None] = {"p50": cell.p50_ns, "p99": cell.p99_ns}
    for name, estimate in ranked.items():
        figure = f"{name} of trials"
        yield {
            **known,
            "figure": figure,
            "unit": "ns",
            **rows.estimated(estimate),
            **rows.placed(cell.ranks, name),
        }
    if cell.sampled and cell.sampled.half_width is not None:
        yield {
            **known,
            "figure": "known to, half width of the wider of throughput and p50",
            "unit": "1",
            "value": cell.sampled.half_width,
            "interval": f"stopped: {cell.sampled.stopped}, {cell.sampled.asked:g} asked",
        }
    if cell.server_cpu_us is not None:
        yield rows.server_cpu(known, cell.server_cpu_us)
    if cell.cost is not None:
        yield from rows.costs(known, cell.cost)
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
        **rows.trials(figures.trials),
        **rows.counted(figures.acknowledged, "acknowledged writes"),
    }
    if figures.held_by_client:
        yield {**known, "figure": "lost writes", "unit": "writes", "flags": "n/a"}
        return
    for harm, loss in figures.losses.items():
        figure = harm.replace("_", " ")
        if vacuous(figures, harm):
            yield {**known, "figure": figure, "unit": UNITS[harm], "missing": why_vacuous(figures)}
            continue
        yield {**known, "figure": figure, "unit": UNITS[harm], "value": loss.total}
        yield {
            **known,
            "figure": f"trials with {figure}",
            "unit": "trials",
            "value": loss.trials_with,
            "low": loss.share and loss.share[0],
            "high": loss.bound if loss.share is None else loss.share[1],
            "interval": "95% of the share" if loss.share else "95% bound of the share",
        }
    for figure, unit, value in (
        ("loss window", "ns", figures.loss_window_ns),
        ("recovery, median", "ns", figures.recovery and figures.recovery.median_ns),
        ("recovery, longest", "ns", figures.recovery and figures.recovery.maximum_ns),
        ("recovered unknown", "operations", figures.recovered_unknown),
        ("phantoms", "families", figures.phantoms),
        ("torn", "families", figures.torn),
        ("refused", "operations", figures.refused),
        ("unanswered", "operations", figures.unanswered),
    ):
        yield {**known, "figure": figure, "unit": unit, "value": value}


def _scale(size: ScaleFigures) -> Iterator[Fields]:
    known = {
        "scenario": "scale",
        "label": size.label,
        "durability": size.durability,
        "sessions": size.sessions,
        "flags": f"stopped: {size.stopped}" if size.stopped else "",
        **rows.trials(size.trials),
    }
    for figure, unit, estimate in (
        ("load rate", "1/s", size.load_rate),
        ("memory a session", "bytes", size.memory_bytes),
        ("kept a session", "bytes", size.kept_bytes),
        ("on disk a session", "bytes", size.disk_bytes),
    ):
        if estimate is not None:
            yield {**known, "figure": figure, "unit": unit, **rows.estimated(estimate)}
    for operation, visits in size.visits.items():
        marks = {"generator-limited": visits.limited, "short": visits.short}
        flags = " ".join([known["flags"], *(mark for mark, is_so in marks.items() if is_so)])
        here = {**known, "operation": operation, "flags": flags.strip()}
        here |= rows.counted(visits.operations, "operations")
        for figure, unit, value in (
            ("throughput", "1/s", visits.rate),
            ("p50 merged", "ns", visits.p50_ns),
            ("p99 merged", "ns", visits.p99_ns),
            ("errors", "calls", sum(visits.errors.values())),
        ):
            yield {**here, "figure": figure, "unit": unit, "value": value}
        if visits.spent is not None:
            yield from rows.spending(here, visits.spent)


def _soak(series: SoakSeries) -> Iterator[Fields]:
    known = {
        "scenario": "soak",
        "label": series.label,
        "durability": series.durability,
        "operation": "rotate",
        "sessions": series.sessions,
        **rows.trials([series.trial]),
        **rows.counted(series.done, "operations"),
    }
    for figure, unit, value in (
        ("response p50", "ns", series.p50_ns),
        ("response p99", "ns", series.p99_ns),
        ("service p99", "ns", series.service_p99_ns),
        ("stalls", "intervals", sum(point.stall for point in series.points)),
        ("late", "intervals", sum(point.late for point in series.points)),
        ("errors", "calls", sum(series.errors.values())),
        *((f"{name}, growth", "", series.grown(name)) for name in series.counters),
    ):
        yield {**known, "figure": figure, "unit": unit, "value": value}
    if series.spent is not None:
        yield from rows.spending(known, series.spent)
    yield from rows.memory(known, series.client_rss_bytes, series.server_rss_bytes)
