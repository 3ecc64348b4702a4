"""Instances behind a balancer: what users are told, and that it comes from the store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import backends
from backends.memory import CAPABILITIES as MEMORY
from backends.store import Capabilities, No
from bench import phases
from bench.analysis.balancer import balancer_figures
from bench.analysis.evidence import Judged
from bench.report import write as write_report
from bench.report.balancer_words import balancer_points
from bench.servers.server import Server
from scenarios.balancer import Arrangement, BalancerFindings, BalancerParameters, cases, judge
from scenarios.history import Event, Status
from scenarios.phases.balance import Balance, Balanced
from tests import records
from tests.filling import staged

PHASE = Balance(
    instances=2,
    balancing="round robin",
    change="none",
    apart=True,
    users=1,
    refreshes=2,
    logouts=True,
)
PARAMETERS = BalancerParameters(trials=1, users=16, refreshes=4)
REFRESHES = 64
ON_ONE_HOST = Capabilities(shared_by_hosts=No("its files are on one host's disk"))

Balancing = Callable[[str], dict[tuple[str, str, bool], Arrangement]]


def event(op: int, instance: int, kind: Any, family: str, **how: Any) -> Event:
    status: Status = how.pop("status", "ok")
    return Event(
        op=op,
        instance=instance,
        family=family,
        kind=kind,
        generation=0,
        digest=how.pop("digest", f"{family}0"),
        presented=how.pop("presented", ""),
        invoke_ns=10 * op,
        return_ns=10 * op + 5,
        status=status,
        outcome=how.pop("outcome", None),
    )


def judged(*events: Event) -> Arrangement:
    [found] = judge([Balanced(phase=PHASE, history=events)]).arrangements
    return found


def test_a_refusal_costs_a_login_and_is_counted_by_its_answer() -> None:
    """The first login of each user is none that was needed; an error is no refusal."""
    found = judged(
        event(1, 0, "issue", "f"),
        event(2, 0, "rotate", "f", presented="f0", digest="f1", outcome="rotated"),
        event(3, 1, "rotate", "f", presented="f1", digest="x", outcome="unknown"),
        event(4, 1, "issue", "g"),
        event(5, 0, "rotate", "g", status="fail", outcome="NotSent"),
    )
    assert (found.refreshes, found.refused, found.all_refused) == (2, {"unknown": 1}, 1)
    assert (found.logins, found.errors) == (1, {"NotSent": 1})


@pytest.mark.parametrize(("answer", "alive"), [("valid", 1), ("unknown", 0), ("revoked", 0)])
def test_a_session_that_outlives_its_logout_is_counted(answer: str, alive: int) -> None:
    """The logout was acknowledged by an instance that did not know the session."""
    found = judged(
        event(1, 0, "issue", "f"),
        event(2, 1, "revoke", "f"),
        event(3, 0, "verify", "f", presented="f0", outcome=answer),
    )
    assert (found.logouts, found.alive_after_logout) == (1, alive)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (Capabilities(), [False, False]),
        (MEMORY, [True, True, True]),
        (ON_ONE_HOST, [True, True, True, False]),
    ],
)
def test_what_a_store_declares_decides_how_it_is_shared(
    capabilities: Capabilities, expected: list[bool]
) -> None:
    """One each where hosts can't share it; and one on one host beside it, where processes can."""
    [case] = cases(PARAMETERS, capabilities)
    assert [phase.apart for phase in case.phases if isinstance(phase, Balance)] == expected


def test_trials_are_added_up_and_said_in_words(tmp_path: Path) -> None:
    """By arrangement and store; the share is of all refreshes."""
    [fact] = [one for one in records.subjects() if one.label == "memory:process"]
    trials = [
        Judged(records.trial(fact.label, "balancer", "instances", repeat, found), found)
        for repeat in (1, 2)
        for found in [BalancerFindings(arrangements=[refused(repeat)])]
    ]
    run = records.run_of([fact], [one.trial for one in trials])
    [figures] = balancer_figures(run, trials)
    assert (figures.refreshes, figures.refused, figures.logins) == (20, {"unknown": 3}, 3)
    [(about, said)] = balancer_points([figures], {fact.label: "memory"})
    assert "2 instances, round robin" in about
    assert "memory (one each) 15%" in said
    folder = records.write(tmp_path / "run", run, [one.trial for one in trials])
    page = write_report(folder, tmp_path / "report").read_text(encoding="utf-8")
    assert "What users met behind a balancer" in page
    assert "unknown 3" in page
    drawn = (tmp_path / "report" / "plots" / "balancer.svg").read_text(encoding="utf-8")
    assert "15%" in drawn
    assert "0 of 4 alive" in drawn
    lines = (tmp_path / "report" / "figures.csv").read_text(encoding="utf-8").splitlines()
    [mine] = [line for line in lines if ",refused,3" in line]
    assert mine.startswith("balancer,memory:process")
    assert "round robin, one store each" in mine
    assert all(trial in mine for trial in figures.trials[0].rpartition("/"))


def refused(number: int) -> Arrangement:
    return Arrangement(
        instances=2,
        balancing="round robin",
        change="none",
        apart=True,
        users=2,
        refreshes=10,
        refused={"unknown": number},
        logins=number,
        logouts=2,
        alive_after_logout=0,
        errors={},
    )


@pytest.fixture
def behind_a_balancer(start_server: Callable[..., Server], tmp_path: Path) -> Balancing:
    """Give `spec -> {(balancing, change, apart): arrangement}` of one trial."""

    def play(spec: str) -> dict[tuple[str, str, bool], Arrangement]:
        subject = backends.resolve(spec)
        kind = subject.backend.server
        server = start_server(kind, subject.profile.server) if kind else None
        [case] = cases(PARAMETERS, subject.profile.capabilities)
        with staged(spec, tmp_path, server) as stage:
            found = judge([phases.execute(phase, stage) for phase in case.phases])
        return {(one.balancing, one.change, one.apart): one for one in found.arrangements}

    return play


def test_memory_behind_two_instances_refuses_about_half(behind_a_balancer: Balancing) -> None:
    """Each knows its own sessions alone, and stickiness ends with the instance."""
    found = behind_a_balancer("memory")
    assert REFRESHES / 4 < found["round robin", "none", True].all_refused < REFRESHES * 3 / 4
    assert found["round robin", "none", True].alive_after_logout > 0
    for change in ("restarted", "replaced"):
        assert 0 < found["sticky", change, True].all_refused <= PARAMETERS.users / 2
    assert {answer for one in found.values() for answer in one.refused} == {"unknown"}


def test_files_on_two_hosts_refuse_what_one_folder_would_not(
    behind_a_balancer: Balancing,
) -> None:
    """It is the second disk: on one host, and after a restart on the same disk, none is refused."""
    found = behind_a_balancer("files:nofsync")
    assert REFRESHES / 4 < found["round robin", "none", True].all_refused < REFRESHES * 3 / 4
    assert 0 < found["sticky", "replaced", True].all_refused <= PARAMETERS.users / 2
    assert found["sticky", "restarted", True].all_refused == 0
    shared = found["round robin", "none", False]
    assert (shared.all_refused, shared.alive_after_logout, shared.errors) == (0, 0, {})


@pytest.mark.server("redis")
def test_a_server_that_all_share_refuses_nobody(behind_a_balancer: Balancing) -> None:
    """Whoever is asked, and whoever was replaced, the session is known and its end is too."""
    for one in behind_a_balancer("redis:none").values():
        assert (one.refreshes, one.all_refused, one.logins) == (REFRESHES, 0, 0)
        assert (one.logouts, one.alive_after_logout, one.errors) == (PARAMETERS.users, 0, {})
