"""What users met behind a load balancer, over all trials of a store and an arrangement."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from bench.analysis.evidence import Judged
from bench.record import Record, Run
from scenarios.balancer import Arrangement, BalancerFindings


class BalancerFigures(Record):
    """One store in one arrangement."""

    label: str
    instances: int
    balancing: str
    change: str
    apart: bool
    """Whether each instance had a store of its own."""
    trials: list[str]
    users: int
    refreshes: int
    refused: dict[str, int]
    """Answer -> refreshes that got it in place of a new token."""
    logins: int
    """Beyond the first of each user."""
    logouts: int
    alive_after_logout: int
    errors: dict[str, int]

    @property
    def all_refused(self) -> int:
        """Refreshes that did not give a new token."""
        return sum(self.refused.values())

    @property
    def dealt(self) -> str:
        """Say how requests were dealt out, and what happened to one instance."""
        changed = "" if self.change == "none" else f", one {self.change} halfway"
        return f"{self.balancing}{changed}"

    @property
    def arrangement(self) -> str:
        """Name it as a heading does."""
        return f"{self.instances} instances, {self.dealt}"


class _Key(NamedTuple):
    instances: int
    balancing: str
    change: str
    label: str
    apart: bool


def balancer_figures(
    run: Run, found: Sequence[Judged[BalancerFindings]]
) -> Sequence[BalancerFigures]:
    """Add up the trials: by arrangement, and in it in the order of the run's subjects."""
    groups: dict[_Key, list[tuple[str, Arrangement]]] = defaultdict(list)
    for one in found:
        for each in one.findings.arrangements:
            key = _Key(each.instances, each.balancing, each.change, one.trial.label, each.apart)
            groups[key].append((one.trial.id, each))
    order = {subject.label: number for number, subject in enumerate(run.subjects)}
    return [
        _add(key, groups[key])
        for key in sorted(groups, key=lambda key: key._replace(label=f"{order[key.label]:04}"))
    ]


def _add(key: _Key, every: Sequence[tuple[str, Arrangement]]) -> BalancerFigures:
    found = [arrangement for _, arrangement in every]
    return BalancerFigures(
        **key._asdict(),
        trials=[trial for trial, _ in every],
        users=sum(one.users for one in found),
        refreshes=sum(one.refreshes for one in found),
        refused=_together([one.refused for one in found]),
        logins=sum(one.logins for one in found),
        logouts=sum(one.logouts for one in found),
        alive_after_logout=sum(one.alive_after_logout for one in found),
        errors=_together([one.errors for one in found]),
    )


def _together(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
