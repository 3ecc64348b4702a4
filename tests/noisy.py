"""Latency trials with noise, and a machine that they might have been measured on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import Trial
from scenarios.latency import LatencyFindings
from tests import records

ENVIRONMENT: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "results" / "reference" / "run.json").read_text(encoding="utf-8")
)["environment"]


def latency_trials(
    slower: float = 1.0,
    *,
    label: str = "a:x",
    seed: int = 0,
    trials: int = 8,
    drift: float = 1.0,
    **cell: Any,
) -> list[Trial]:
    """Trials with 2% of noise; `drift` is the machine's doing in each."""
    rng = np.random.default_rng([seed, len(label)])
    made = []
    for repeat in range(1, trials + 1):
        factor = slower * drift * rng.lognormal(0, 0.02)
        values = 1_000 * factor * rng.lognormal(0, 0.2, 400)
        found = records.cell(
            "rotate",
            8,
            {"rotate": records.samples(values.tolist())},
            **{"elapsed_ns": int(1e8 * factor), **cell},
        )
        findings = LatencyFindings(cells=[found])
        made.append(records.trial(label, "latency", "closed-loop", repeat, findings))
    return made
