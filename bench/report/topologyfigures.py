"""Figures of failovers and of reads from replicas as rows of `figures.csv`."""

from collections.abc import Iterator, Sequence

from bench.analysis.estimate import share_interval, zero_bound
from bench.analysis.failover import FailoverFigures, Waited
from bench.analysis.staleness import StalenessFigures
from bench.report import rows
from bench.report.rows import Fields


def topology_rows(
    failovers: Sequence[FailoverFigures], staleness: Sequence[StalenessFigures]
) -> Iterator[Fields]:
    """Give a row a figure."""
    for failover in failovers:
        yield from _failover(failover)
    for stale in staleness:
        yield from _staleness(stale)


def _failover(figures: FailoverFigures) -> Iterator[Fields]:
    n, lost = figures.decided, figures.trials_with_loss
    flags = [f"undecided: {checker}" for checker in figures.undecided]
    flags += ["uncontrolled"] * (figures.kept and not figures.controlled_by)
    known = {
        "scenario": "failover",
        "label": figures.label,
        "fault": figures.fault,
        "flags": " ".join(flags),
        **rows.trials(figures.trials),
        **rows.counted(figures.acknowledged, "acknowledged writes"),
    }
    if n:
        low, high = share_interval(lost, n) if lost else (None, zero_bound(n))
        yield {
            **known,
            "figure": "trials with lost writes",
            "unit": "trials",
            "value": lost,
            "low": low,
            "high": high,
            "interval": "95% of the share" if lost else "95% bound of the share",
        }
    told: Sequence[tuple[str, str, float | None]] = (
        ("lost writes", "writes", figures.lost_writes),
        ("lost sessions", "sessions", figures.lost_sessions),
        ("resurrected rotated", "sessions", figures.resurrected_rotated),
        ("resurrected revoked", "sessions", figures.resurrected_revoked),
        ("phantoms", "families", figures.phantoms),
    )
    for figure, unit, value in (
        *(told if n else ()),
        ("shown on both sides", "tokens", figures.shown_on_both_sides),
        ("double spends", "tokens", figures.spent_twice),
        ("decided", "trials", n),
        ("took over", "trials", figures.took_over),
        ("fault lasted, median", "ns", figures.lasted_ns),
        ("from the heal to agreement, median", "ns", figures.settled_ns),
        ("refused", "operations", figures.refused),
        ("unanswered", "operations", figures.unanswered),
        *((checker, "families", families) for checker, families in figures.anomalies.items()),
    ):
        yield {**known, "figure": figure, "unit": unit, "value": value}
    for which, outage in (("median", figures.outage), ("longest", figures.longest_outage)):
        figure = f"until the majority was served again, {which}"
        yield {**known, "figure": figure, "unit": "ns", **_waited(outage)}
    for row in rows.searched(figures.orders, figures.disagreements):
        yield {**known, **row}


def _waited(outage: Waited | None) -> Fields:
    """Give the value; only the least that it can be where the heal came before its end."""
    if outage is None:
        return {"missing": "not in this record"}
    if outage.over:
        return {"value": outage.ns}
    return {"low": outage.ns, "missing": "not served again before the heal"}


def _staleness(figures: StalenessFigures) -> Iterator[Fields]:
    known = {
        "scenario": "staleness",
        "label": figures.label,
        "operation": "verify",
        **rows.trials(figures.trials),
        **rows.counted(figures.revocations, "revocations"),
    }
    for figure, unit, value in (
        ("still accepted", "revocations", figures.accepted),
        ("still accepted p50", "ns", figures.p50_ns),
        ("still accepted p99", "ns", figures.p99_ns),
        ("still accepted, longest", "ns", figures.longest_ns),
        ("between two looks, longest", "ns", figures.largest_gap_ns),
        ("never seen", "revocations", figures.never),
        ("unacknowledged", "revocations", figures.unacknowledged),
    ):
        yield {**known, "figure": figure, "unit": unit, "value": value}
