"""Every shipped store passes again and again, other work on the machine or not."""

from collections import Counter

import pytest

import backends
from bench import servers
from bench.conform.checker import Checker
from bench.conform.report import told
from bench.servers.server import Unavailable
from scenarios.scenario import Effort

SUBJECTS = [
    f"{name}:{profile}"
    for name in backends.BUILT_IN
    if not backends.load(name).naive
    for profile in backends.load(name).profiles
]
RUNS = 50


def hold(subject: str, times: int) -> Counter[str]:
    kind = backends.resolve(subject).backend.server
    if kind is not None and isinstance(found := servers.find(kind), Unavailable):
        pytest.skip(f"{found.reason}; {found.mend}")
    alarms: Counter[str] = Counter()
    with Checker(subject, Effort.QUICK) as checker:
        for _ in range(times):
            results = checker.run().results
            alarms.update(f"{one.number}: {told(one)}" for one in results if not one.status.good)
    return alarms


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_shipped_store_is_ever_accused(subject: str) -> None:
    """The whole contract, 50 times in a row in each profile, without one false alarm."""
    assert hold(subject, RUNS) == Counter()


@pytest.mark.parametrize("subject", ["memory", "redis"])
def test_a_sample_of_runs_accuses_nobody(subject: str) -> None:
    """The sample of the proof above for every day."""
    assert hold(subject, 2) == Counter()
