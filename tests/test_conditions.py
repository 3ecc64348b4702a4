"""What a report says of the machine, the workers and the tokens: in the reader's terms."""

import numpy as np
import pytest

from bench.analysis.workers import worker_figures
from bench.record import Trial, WorkerFacts
from bench.report import conditions, workers
from bench.report.sections import tokens
from tests import records
from tests.materials import material
from tests.summaries import consistency_trial, fault_trial, latency_trial, subject

RNG = np.random.default_rng(1)
HERE = WorkerFacts(host=0, clock_offset_ns=0, clock_error_ns=9, same_clock=True)


def made_by(trial: Trial, count: int) -> Trial:
    return trial.model_copy(update={"workers": [HERE] * count})


def test_the_machine_is_told_in_units_for_people() -> None:
    """Neither nanoseconds nor bytes, nor digits that mean nothing."""
    run = records.run_of(
        [],
        [],
        environment={
            "cpu": {"usable": 2.0, "cores": 2, "smt": False, "governor": None},
            "memory": {"total_bytes": 25_276_502_016, "limit_bytes": 512_000_000},
            "scratch": {"fsync_ns": 127_650},
            "load_average": [1.02099609375, 2.0],
            "kernel": "6.1",
        },
    )
    assert dict(conditions.in_full(run)) == {
        "cpu.usable": "2", "cpu.cores": "2", "cpu.smt": "no",
        "memory.total": "25.3 GB", "memory.limit": "512 MB",
        "scratch.fsync": "0.128 ms", "load_average": "1.02, 2", "kernel": "6.1",
    }  # fmt: skip


LOAD = made_by(latency_trial("a:x", 1, [10, 20]), 2)
RACES = made_by(consistency_trial("a:x", {1: 80}), 8)


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([LOAD], "Load came from up to 2 workers on"),
        ([RACES], "Those who raced were up to 8 app instances (a process each) on"),
        ([LOAD, RACES], "up to 2 workers, and those who raced were up to 8 app instances"),
    ],
)
def test_app_instances_are_not_counted_as_makers_of_load(trials: list[Trial], said: str) -> None:
    """Eight that race on two cores aren't eight that load them."""
    found = worker_figures(trials)
    assert found is not None
    assert said in workers.told(found)


def test_tokens_are_told_of_beside_a_stores_time_alone() -> None:
    """Beside what a fault took they say nothing."""
    facts = [subject("a:x")]
    timed, struck = latency_trial("a:x", 1, [10, 20]), fault_trial("a:x", 1)
    assert tokens.section(material(facts, [timed, struck], tokens=records.tokens(RNG)))
    assert tokens.section(material(facts, [struck], tokens=records.tokens(RNG))) is None
