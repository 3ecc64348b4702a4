"""What a report says of the network, which depends on what was run."""

from backends.store import Durability
from bench.analysis import Summary
from bench.record import ServerFacts, Trial, WorkerFacts
from bench.report.whereabouts import told
from tests.failovers import KEEPS, facts, failed_over
from tests.summaries import fault_trial, subject, summarised

SINGLE = "redis:none"


def of(*trials: Trial) -> Summary:
    return summarised([*facts(), subject(SINGLE, Durability.NONE)], trials)


def test_single_servers_are_reached_over_loopback() -> None:
    """No network, and nothing is said of hosts."""
    said = told(of(fault_trial(SINGLE, 1)))
    assert "over loopback: no network" in said
    assert "hosts" not in said


def test_hosts_of_a_failover_are_namespaces_on_a_bridge() -> None:
    """A run that cut hosts off didn't run over loopback, and doesn't say so."""
    said = told(of(failed_over(KEEPS, "partition", 0)))
    assert "network namespaces, joined by a bridge" in said
    assert "loopback" not in said


def test_hosts_that_could_not_be_cut_off_say_why() -> None:
    """They were addresses."""
    said = told(of(failed_over(KEEPS, "partition", 0, why_no_cut="not root")))
    assert "addresses of the loopback network" in said
    assert "(not root)" in said


def test_stores_of_one_server_beside_topologies_are_told_apart() -> None:
    """Each was reached in its way."""
    said = told(of(failed_over(KEEPS, "partition", 0), fault_trial(SINGLE, 1)))
    assert "joined by a bridge" in said
    assert "one server were reached over loopback" in said


def test_a_server_of_the_users_is_not_said_to_be_here() -> None:
    """Nor is anything else, where workers ran on other hosts."""
    server = ServerFacts(kind="redis", way="url", version="8")
    away = WorkerFacts(host=1, clock_offset_ns=0, clock_error_ns=1, same_clock=False)
    for changed in ({"server": server}, {"workers": [away]}):
        said = told(of(fault_trial(SINGLE, 1).model_copy(update=changed)))
        assert "one machine" not in said
        assert "loopback" not in said
