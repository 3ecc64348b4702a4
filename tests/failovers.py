"""Trials of faults of a primary, for tests of reports."""

from collections.abc import Mapping, Sequence

from backends.store import Durability
from bench.record import SubjectFacts, Trial
from scenarios.failover import FailoverFindings
from tests import records

LOSES, KEEPS = "redis:aof-everysec@sentinel", "redis:aof-everysec@sentinel-wait1"


def facts(labels: Sequence[str] = (LOSES, KEEPS)) -> list[SubjectFacts]:
    return [
        SubjectFacts(
            label=label,
            spec=label,
            backend="redis",
            title="Redis",
            durability=Durability.CRASH,
            lacking={},
            topology=label.partition("@")[2],
        )
        for label in labels
    ]


def failed_over(
    label: str,
    strike: str,
    lost: int,
    seconds: float = 3.0,
    *,
    repeat: int = 1,
    spent: int = 0,
    undecided: Mapping[str, str] | None = None,
    orders: Mapping[str, int] | None = None,
    disagreements: int = 0,
    why_no_cut: str | None = None,
    outage_ns: int | None = 3 * 10**9,
    outage_over: bool | None = True,
) -> Trial:
    findings = FailoverFindings(
        strike=strike, means="pause" if why_no_cut else strike, why_no_cut=why_no_cut,
        seconds=seconds, lasted_ns=4 * 10**9,
        took_over=True, acknowledged=2_000, acknowledged_by_old=900, lost_writes=lost,
        lost_sessions=0, resurrected_rotated=0, resurrected_revoked=0, phantoms=0,
        shown_on_both_sides=40, double_spends=spent, outage_ns=outage_ns, outage_over=outage_over,
        settled_ns=10**9, refused=0, unanswered=8, integrity=None, undecided=dict(undecided or {}),
        orders=dict(orders or {}), disagreements=disagreements,
    )  # fmt: skip
    return records.trial(label, "failover", f"{strike}-{seconds:g}s", repeat, findings)
