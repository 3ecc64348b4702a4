"""How long revoked tokens were still accepted through a replica, over all trials of a topology."""

from collections import defaultdict
from collections.abc import Sequence
from math import ceil

from bench.analysis.evidence import Judged
from bench.record import Record, Run
from scenarios.staleness import StalenessFindings


class StalenessFigures(Record):
    """One topology."""

    label: str
    trials: list[str]
    revocations: int
    """Acknowledged."""
    accepted: int
    """Of them, those after whose acknowledgement a verify still accepted the token."""
    p50_ns: int | None
    """This and the next: None where so many were not refused while watched, or there were none."""
    p99_ns: int | None
    longest_ns: int | None
    """Of those that were refused; None: none was."""
    largest_gap_ns: int
    """Between two looks: each figure may be so much more."""
    unacknowledged: int
    never: int
    """Of the accepted, those that were not refused for as long as they were watched."""


def staleness_figures(
    run: Run, found: Sequence[Judged[StalenessFindings]]
) -> Sequence[StalenessFigures]:
    """Merge the trials of each topology; percentiles are nearest ranks of all its revocations.

    One that was never refused ranks after all others.
    """
    groups: dict[str, list[Judged[StalenessFindings]]] = defaultdict(list)
    for one in found:
        groups[one.trial.label].append(one)
    return [
        _merge(subject.label, groups[subject.label])
        for subject in run.subjects
        if groups[subject.label]
    ]


def _merge(label: str, every: Sequence[Judged[StalenessFindings]]) -> StalenessFigures:
    found = [one.findings for one in every]
    each = sorted(ns for one in found for ns in one.accepted_ns)
    never = sum(one.never for one in found)
    return StalenessFigures(
        label=label,
        trials=[one.trial.id for one in every],
        revocations=len(each) + never,
        accepted=sum(ns > 0 for ns in each) + never,
        p50_ns=_percentile(each, never, 50),
        p99_ns=_percentile(each, never, 99),
        longest_ns=max(each, default=None),
        largest_gap_ns=max(one.largest_gap_ns for one in found),
        unacknowledged=sum(one.unacknowledged for one in found),
        never=never,
    )


def _percentile(each: Sequence[int], never: int, percent: int) -> int | None:
    rank = ceil(percent * (len(each) + never) / 100)
    return each[rank - 1] if 0 < rank <= len(each) else None
