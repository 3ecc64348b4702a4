"""Steps and trials of the load scenario as they might have been recorded."""

from collections.abc import Sequence
from typing import Any

from bench.record import Trial
from scenarios.offered_load import LoadFindings, StepFindings
from tests import records

FELL_BEHIND = {"holds": False, "started": 2_000, "ok": 1_500, "late": 500, "dropped": 1_000}


def step(rate: float, *, purpose: str = "ladder", **changed: Any) -> StepFindings:
    """Give one step of a second in which all went well."""
    offered = int(rate)
    waits = records.samples([1_000.0] * offered).latency_ns
    plain: dict[str, Any] = {
        "purpose": purpose,
        "place": rate,
        "rate": rate,
        "seconds": 1.0,
        "offered": offered,
        "ok": offered,
        "late": 0,
        "failed": 0,
        "dropped": 0,
        "in_flight": 0,
        "started": offered,
        "holds": True,
        "errors": {},
        "response_ns": {"rotate": waits},
        "service_ns": waits,
        "lag_ns": records.samples([10.0] * offered).latency_ns,
        "pacing_ns": records.samples([10.0] * offered).latency_ns,
        "tokens_ns": {},
        "busy_ns": 10**9,
        "elapsed_ns": 10**9,
        "processes": 2,
        "connections": 8,
        "client_cpu_ns": 10**8,
        "server_cpu_ns": offered * 50_000,
        "exhausted": False,
    }
    return StepFindings(**{**plain, **changed})


def loaded(label: str, repeat: int, steps: Sequence[StepFindings], **changed: Any) -> Trial:
    plain: dict[str, Any] = {
        "closed_rate": 4_000.0,
        "bound_ns": 20_000_000,
        "capacity": 2_000.0,
        "fails_at": 3_000.0,
    }
    found = LoadFindings(steps=list(steps), **{**plain, **changed})
    return records.trial(label, "load", "open-loop", repeat, found)
