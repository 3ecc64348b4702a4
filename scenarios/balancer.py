"""Several app instances behind a load balancer: what a store that they can't share costs users.

A session that one instance issued is unknown to the others if each has a store of its own: its
memory, or the disk of its host. Users are refused then, and log in again; and a logout that
reaches another instance ends nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, PositiveInt

from backends.store import Capabilities, Outcome
from scenarios.checkers import alive_after_revoke
from scenarios.phases.balance import Balance, Balanced, Balancing, Change
from scenarios.scenario import Case, Effort, Findings, Observation, Parameters, Scenario

CARRIED_ON = frozenset({Outcome.ROTATED, Outcome.GRACE})
"""Answers to a refresh that spare its user a login."""


class BalancerParameters(Parameters, frozen=True):
    """Parameters of `balancer`."""

    instances: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (2,)
    """App instances behind the balancer, each a process of its own."""
    users: PositiveInt = 40
    """Each with one session at a time, and a browser of his own."""
    refreshes: PositiveInt = 5
    """Of each user."""


class Arrangement(Findings):
    """What users met behind one balancer."""

    instances: int
    balancing: str
    change: str
    """What became of the first instance halfway: none, restarted, replaced (by one on a host whose
    disk is empty)."""
    apart: bool
    """Whether each instance had a store of its own."""
    users: int
    refreshes: int
    """That were answered."""
    refused: dict[str, int]
    """Answer -> refreshes that got it in place of a new token."""
    logins: int
    """Beyond the first of each user."""
    logouts: int
    alive_after_logout: int
    """Sessions that some instance still accepted when their logout had been acknowledged."""
    errors: dict[str, int]
    """Calls that ended in an error."""

    @property
    def all_refused(self) -> int:
        """Refreshes that did not give a new token."""
        return sum(self.refused.values())


class BalancerFindings(Findings):
    """What one trial of `balancer` found."""

    arrangements: list[Arrangement]


def cases(parameters: BalancerParameters, capabilities: Capabilities) -> Sequence[Case]:
    """Take one fresh place through every arrangement that the store may be met in."""
    phases = [
        Balance(
            instances=instances,
            balancing=balancing,
            change=change,
            apart=apart,
            users=parameters.users,
            refreshes=parameters.refreshes,
            logouts=bool(capabilities.revokes),
        )
        for instances in parameters.instances
        for balancing, change, apart in _arrangements(capabilities)
    ]
    return [Case(name="instances", phases=phases, trials=parameters.trials)]


def _arrangements(capabilities: Capabilities) -> Iterator[tuple[Balancing, Change, bool]]:
    """Give each host a store of its own where hosts can't share one."""
    apart = not (capabilities.shared_by_processes and capabilities.shared_by_hosts)
    yield "round robin", "none", apart
    yield "sticky", "replaced", apart
    if apart:
        yield "sticky", "restarted", apart
        if capabilities.shared_by_processes:
            # What it is like on one host shows that it is the second disk, not the store.
            yield "round robin", "none", False


def judge(observations: Sequence[Observation]) -> BalancerFindings:
    """Count what users were told."""
    return BalancerFindings(
        arrangements=[_arrangement(one) for one in observations if isinstance(one, Balanced)]
    )


def _arrangement(seen: Balanced) -> Arrangement:
    answered = [event for event in seen.history if event.status == "ok"]
    refreshes = [event for event in answered if event.kind == "rotate"]
    logins = sum(event.kind == "issue" for event in answered)
    return Arrangement(
        instances=seen.phase.instances,
        balancing=seen.phase.balancing,
        change=seen.phase.change,
        apart=seen.phase.apart,
        users=seen.phase.users,
        refreshes=len(refreshes),
        refused=dict(Counter(str(e.outcome) for e in refreshes if e.outcome not in CARRIED_ON)),
        logins=max(logins - seen.phase.users, 0),
        logouts=sum(event.kind == "revoke" for event in answered),
        alive_after_logout=len({one.family for one in alive_after_revoke.check(seen.history)}),
        errors=dict(Counter(str(e.outcome) for e in seen.history if e.status != "ok")),
    )


SCENARIO = Scenario(
    name="balancer",
    title="Instances behind a load balancer",
    summary="users are sent to one of several instances: how many refreshes are refused",
    parameters=BalancerParameters,
    presets={
        Effort.QUICK: BalancerParameters(trials=1),
        Effort.STANDARD: BalancerParameters(trials=3, instances=(2, 4), users=100, refreshes=10),
        Effort.THOROUGH: BalancerParameters(
            trials=10, instances=(2, 4, 8), users=200, refreshes=20
        ),
    },
    cases=cases,
    judge=judge,
    findings=BalancerFindings,
    default=False,
)
