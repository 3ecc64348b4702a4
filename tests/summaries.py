"""Summaries of runs of a few trials, for tests of analysis."""

from collections.abc import Mapping, Sequence

from backends.store import Durability
from bench.analysis import Summary, summary
from bench.analysis.latency import LatencyCell
from bench.record import SubjectFacts, Trial
from scenarios.consistency import ConsistencyFindings, Races, Visibility
from scenarios.durability import DurabilityFindings
from scenarios.latency import LatencyFindings
from tests import records

BUCKET = 1 / 128


def subject(
    label: str, durability: Durability = Durability.POWER_CUT, **other: object
) -> SubjectFacts:
    plain = {"spec": label, "backend": label.partition(":")[0], "title": label, "lacking": {}}
    return SubjectFacts.model_validate({"label": label, "durability": durability, **plain, **other})


def latency_trial(
    label: str, repeat: int, values_us: Sequence[float], connections: int = 8, **cell: object
) -> Trial:
    """One trial that did nothing but rotate."""
    made = records.cell("rotate", connections, {"rotate": records.samples(values_us)}, **cell)
    return records.trial(label, "latency", "closed-loop", repeat, LatencyFindings(cells=[made]))


def summarised(facts: Sequence[SubjectFacts], trials: Sequence[Trial], **run: object) -> Summary:
    return summary(records.run_of(facts, trials, **run), trials)


def rotation(found: Summary, label: str, connections: int = 8) -> LatencyCell:
    cell = found.cell(label, "rotate", connections)
    assert cell is not None
    return cell


def fault_trial(label: str, repeat: int, fault: str = "crash", **figures: object) -> Trial:
    plain = {
        "fault": fault,
        "acknowledged_issues": 20,
        "acknowledged_rotations": 70,
        "acknowledged_revocations": 10,
        "lost_sessions": 0,
        "resurrected_rotated": 0,
        "resurrected_revoked": 0,
        "lost_writes": 0,
        "loss_window_ns": 0,
        "loss_is_suffix": True,
        "recovered_unknown": 0,
        "phantoms": 0,
        "unanswered": 0,
        "recovery_ns": 100 + repeat,
        "integrity": None,
    }
    found = DurabilityFindings.model_validate({**plain, **figures})
    return records.trial(label, "durability", fault, repeat, found)


def consistency_trial(label: str, winners: Mapping[int, int], seen: int = 30) -> Trial:
    found = ConsistencyFindings(
        visibility=[
            Visibility(act="revoke", instances=4, looks=30, seen=seen, largest_delay_ns=500)
        ],
        races=[
            Races(
                instances=4,
                rounds=100,
                contested=sum(winners.values()),
                winners=dict(winners),
                outcomes={"rotated": 100},
            )
        ],
        errors={},
    )
    return records.trial(label, "consistency", "instances", 0, found)
