"""The load scenario on real worker processes, and its figures in every output."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import backends
from backends.store import Capabilities, Durability, No, Place
from bench import phases, report
from bench.analysis import summary
from bench.analysis.load import LoadStep
from bench.phases.stage import Stage
from bench.record import Run, SubjectFacts, Trial
from scenarios import offered_load
from scenarios.cost import NETWORK, Cost
from scenarios.histogram import count
from scenarios.offered_load import LoadFindings, LoadParameters
from scenarios.phases.climb import Climb
from tests import records
from tests.climbs import FELL_BEHIND, loaded, step

QUICK: dict[str, Any] = {
    "trials": 1,
    "connections": 4,
    "rates": (300.0,),
    "seconds": 0.2,
    "calibration_seconds": 0.03,
    "least_operations": 20,
    "searches": 0,
    "bound_ms": 10_000,
    "sessions": 50,
}


def climbed(tmp_path: Path, spec: str, **changed: Any) -> LoadFindings:
    """Take one subject that needs no server through a short climb."""
    subject = backends.resolve(spec)
    parameters = LoadParameters(**{**QUICK, **changed})
    [case] = offered_load.cases(parameters, subject.profile.capabilities)
    (tmp_path / "store").mkdir()
    place = Place(tmp_path / "store")
    subject.prepare(place)
    with Stage(
        subject=subject, place=place, policy=case.policy, server=None, seed=5, scratch=tmp_path
    ) as stage:
        return offered_load.judge([phases.execute(phase, stage) for phase in case.phases])


@pytest.mark.parametrize(
    "odd",
    [
        {"algorithm": "HS256", "verify_per_rotate": 1},
        {"storm_share": 0.2, "storm_size": 3, "lost_replies": 0.1, "wrong_devices": 0.1},
        {"storm_share": 0.2, "storm_size": 3, "lost_replies": 0.1, "grace_ms": 60_000},
        {"devices": False, "arrivals": "fixed", "keys": "zipf"},
    ],
)
def test_every_operation_of_a_right_store_comes_out_well(
    tmp_path: Path, odd: Mapping[str, Any]
) -> None:
    """Whatever clients do, what was due is accounted for, and nothing failed."""
    found = climbed(tmp_path, "memory", **odd)
    for one in found.steps:
        assert one.errors == {}
        assert one.offered == one.ok + one.late + one.dropped + one.in_flight
        assert count(one.service_ns) == sum(map(count, one.response_ns.values()))
        assert bool(one.tokens_ns) == ("algorithm" in odd)
        assert one.client_cpu_ns > 0
        assert one.cost is not None
        assert one.cost.written_bytes is not None
        assert one.cost.missing.keys() >= set(NETWORK)
    assert [step.purpose for step in found.steps][:1] == ["ladder"]


def test_a_store_that_fails_has_no_capacity(tmp_path: Path) -> None:
    """Half of the operations are refused: no rate is carried, and the errors are named."""
    (tmp_path / "half.py").write_text(
        "import itertools\n"
        "from backends.memory import MemoryStore\n"
        "from backends.store import Policy\n"
        "class Half(MemoryStore):\n"
        "    turns = itertools.count()\n"
        "    def rotate(self, *arguments):\n"
        "        if next(self.turns) % 2:\n"
        "            raise ConnectionError\n"
        "        return super().rotate(*arguments)\n"
        "def make():\n"
        "    return Half(Policy())\n"
    )
    found = climbed(tmp_path, f"{tmp_path / 'half.py'}:make")
    assert found.capacity is None
    # A rotation that follows a failed one in its client's schedule fails as well, as "unknown".
    assert 0 < found.steps[0].errors["ConnectionError"] <= found.steps[0].failed


def test_a_store_without_state_is_not_loaded() -> None:
    """A cookie's rotation is nothing but work on tokens."""
    parameters = LoadParameters(**QUICK)
    assert offered_load.cases(parameters, Capabilities(detects_reuse=No("no state"))) == []


def test_verifies_come_in_the_ratio_asked_for() -> None:
    """Ten for each rotation of the mix; a store that can't revoke isn't asked to."""
    parameters = LoadParameters(**QUICK, verify_per_rotate=10)
    [case] = offered_load.cases(parameters, Capabilities(revokes=No("it can't")))
    [climb] = case.phases
    assert isinstance(climb, Climb)
    assert climb.workload.mix == {"issue": 11, "rotate": 88, "verify": 880}


def figures(*trials: Trial) -> tuple[Run, Any]:
    facts = [
        SubjectFacts(
            label=label,
            spec=label,
            backend=label.partition(":")[0],
            title=label,
            durability=Durability.POWER_CUT,
            lacking={},
        )
        for label in dict.fromkeys(trial.label for trial in trials)
    ]
    run = records.run_of(facts, trials)
    return run, summary(run, trials)


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({}, None),
        ({"client_cpu_ns": 17 * 10**8}, "generator-limited"),
        ({"pacing_ns": records.samples([900.0] * 3_000).latency_ns}, "generator-limited"),
        ({**FELL_BEHIND, "busy_ns": 10**9}, "generator-limited"),
        ({**FELL_BEHIND, "busy_ns": 79 * 10**8}, "saturated"),
        ({"failed": 1, "ok": 2_999, "errors": {"reused": 1}}, "errors"),
    ],
)
def test_a_step_says_who_was_the_limit(changed: Mapping[str, Any], flag: str | None) -> None:
    """The generator's CPU, its pacing, what it didn't start with clients idle; or the store."""
    _, found = figures(*(loaded("redis:none", n, [step(3_000, **changed)]) for n in (1, 2)))
    [one] = found.load
    assert isinstance(one, LoadStep)
    assert list(one.why) == ([flag] if flag else [])
    assert one.sound == (flag is None)


def test_a_tenth_of_a_response_may_be_pacing() -> None:
    """A lag of 0.9 ms is much of a response of 1 ms, and little of one of 100 ms."""
    changed: dict[str, Any] = {
        "response_ns": {"rotate": records.samples([100_000.0] * 3_000).latency_ns},
        "pacing_ns": records.samples([900.0] * 3_000).latency_ns,
    }
    _, found = figures(loaded("redis:none", 1, [step(3_000, **changed)]))
    assert list(found.load[0].why) == ["one trial"]


@pytest.mark.usefixtures("undrawn")
def test_a_step_has_its_cost_per_operation(tmp_path: Path) -> None:
    """CPU, disk and network over what came out well, in the analysis, the page and the table."""
    cost = Cost(written_bytes=6_000, fsyncs=3, sent_bytes=30_000, received_bytes=0, missing={})
    trials = [loaded("redis:none", n, [step(3_000, cost=cost, ok=1_500, late=0)]) for n in (0, 1)]
    run, found = figures(*trials)
    spent = found.load[0].spent
    assert spent.server_cpu_us.value == pytest.approx(100)
    assert {name: one.value for name, one in spent.cost.per_operation.items()} == {
        "written_bytes": pytest.approx(4),
        "fsyncs": pytest.approx(0.002),
        "sent_bytes": pytest.approx(20),
        "received_bytes": 0,
    }
    page = report.write(records.write(tmp_path / "run", run, trials), tmp_path / "report")
    assert "What an operation cost at each rate" in page.read_text()
    assert "sent per operation" in (page.parent / "figures.csv").read_text()


def climbs(*, limited: bool) -> Sequence[Trial]:
    """Give two trials that carry 2,000/s and not 3,000/s, for want of the generator or not."""
    ended: dict[str, Any] = {**FELL_BEHIND, "busy_ns": 10**9 if limited else 79 * 10**8}
    steps = [step(1_000), step(3_000, **ended), step(2_000, purpose="confirm")]
    return [loaded("redis:none", n, steps, capacity=1_900.0 + 100 * n) for n in (0, 1)]


def test_capacity_has_its_bracket_and_the_capacity_of_a_core() -> None:
    """Median over trials, the next rate that failed, and what CPU per operation allows."""
    _, found = figures(*climbs(limited=False))
    [capacity] = found.capacities
    assert (capacity.rate.low, capacity.rate.high) == (1_900, 2_000)
    assert capacity.fails_at.value == 3_000
    assert capacity.core.value == pytest.approx(20_000)
    assert capacity.why == {}


def test_no_capacity_in_one_trial_counts_as_none() -> None:
    """To leave it out would leave out the bad one."""
    good, bad = climbs(limited=False)
    nothing = loaded("redis:none", 1, [step(1_000, holds=False)], capacity=None)
    _, found = figures(good, nothing)
    assert found.capacities[0].rate.low == 0
    assert found.capacities[0].carried_in == 1
    del bad


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("output", ["terminal", "index.html", "comparison.md", "comparison.csv",
                                    "figures.csv", "json"])  # fmt: skip
def test_a_limited_capacity_says_so_in_every_output(tmp_path: Path, output: str) -> None:
    """And one that isn't doesn't."""

    def written(*, limited: bool) -> str:
        trials = climbs(limited=limited)
        run, found = figures(*trials)
        if output == "terminal":
            return str(report.short_table(found))
        if output == "json":
            return str(found.model_dump(include={"capacities"}))
        folder = records.write(tmp_path / f"run-{limited}", run, trials)
        page = report.write(folder, tmp_path / f"report-{limited}")
        text = (page.parent / output).read_text()
        if output == "index.html":
            text = text.partition('id="load"')[2].partition("Every rate that was offered")[0]
        if output == "comparison.md":
            text = text.partition("## Load and capacity")[2].partition("## Method")[0]
        if output == "figures.csv":
            text = "\n".join(line for line in text.splitlines() if ",capacity," in line)
        return text

    mark = "limited" if output == "terminal" else "generator-limited"
    assert mark in written(limited=True)
    assert mark not in written(limited=False)
