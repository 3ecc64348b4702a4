"""The open loop's figures as rows of `figures.csv`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.analysis.load import Capacity, LoadStep
from bench.report import formats

Fields = Mapping[str, Any]


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
        "workload": "capacity" if step.place is None else f"{step.place:g}",
        "flags": " ".join(step.why),
        "n_trials": len(step.trials),
        "trials": formats.trials(step.trials),
        "n": step.offered,
        "n_of": "operations offered",
    }
    rate = step.rate
    yield {
        **known,
        "figure": "offered",
        "unit": "1/s",
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "interval": rate.method,
    }
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


def _capacity(capacity: Capacity) -> Iterator[Fields]:
    known = {
        "scenario": "load",
        "label": capacity.label,
        "durability": capacity.durability,
        "flags": " ".join(capacity.why),
        "n_trials": len(capacity.trials),
        "trials": formats.trials(capacity.trials),
    }
    for figure, found in (
        ("capacity", capacity.rate),
        ("lowest rate not carried", capacity.fails_at),
        ("closed loop", capacity.closed_rate),
        ("capacity of one server core", capacity.core),
    ):
        if found is not None:
            yield {
                **known,
                "figure": figure,
                "unit": "1/s",
                "value": found.value,
                "low": found.low,
                "high": found.high,
                "interval": found.method,
            }
