"""The plan: every trial once, spread over the run, the same for the same seed."""

import string
from collections import Counter
from collections.abc import Sequence

import pytest

import backends
import scenarios
from backends import Subject
from backends.memory import BACKEND as MEMORY
from backends.store import Backend
from bench.plan import (
    DEFAULT_SUBJECTS,
    default_subjects,
    facts,
    kept_apart,
    left_out,
    plan,
    without_topology,
)
from bench.record import PlannedTrial
from scenarios.phases.measure import Measure
from scenarios.scenario import Effort, Parameters, Scenario

ON_SERVER = Backend(
    name="served",
    title="Served",
    summary="needs a server",
    profiles=MEMORY.profiles,
    open=MEMORY.open,
    server="redis",
)


def subject(name: str) -> Subject:
    profile = next(iter(MEMORY.profiles.values()))
    return Subject(name, ON_SERVER if name.startswith("served") else MEMORY, profile)


SUBJECTS = [subject(name) for name in ("memory", "served:a", "served:b", "mine.py:make")]


def chosen(effort: Effort) -> Sequence[tuple[Scenario, Parameters]]:
    loaded = [scenarios.load(name) for name in scenarios.by_default()]
    return [(scenario, scenario.presets[effort]) for scenario in loaded]


def planned(effort: Effort = Effort.STANDARD, seed: int = 7) -> Sequence[PlannedTrial]:
    return plan(chosen(effort), SUBJECTS, facts(SUBJECTS, control=True), seed)


@pytest.mark.parametrize("effort", Effort)
def test_every_trial_is_planned_exactly_once(effort: Effort) -> None:
    """(scenario, case, label, repeat) each once, for all that may be taken of all subjects."""
    trials = planned(effort)
    expected = Counter(
        (scenario.name, case.name, fact.label, repeat)
        for scenario, parameters in chosen(effort)
        for fact in facts(SUBJECTS, control=True)
        if scenario.control or not fact.control
        for case in scenario.cases(parameters, MEMORY.profiles["process"].capabilities)
        for repeat in range(1, parameters.most_trials + 1)
    )
    assert Counter((t.scenario, t.case, t.label, t.repeat) for t in trials) == expected
    assert len({trial.id for trial in trials}) == len(trials)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    """Order and seeds are functions of the run's seed alone."""
    assert planned(seed=7) == planned(seed=7)
    assert [t.id for t in planned(seed=7)] != [t.id for t in planned(seed=8)]
    assert {t.id for t in planned(seed=7)} == {t.id for t in planned(seed=8)}


def test_the_plan_is_the_same_on_every_machine() -> None:
    """Nothing of the interpreter (hash seed, random module) is in it: these values are for ever."""
    [first] = plan(
        [(scenarios.load("consistency"), scenarios.load("consistency").presets[Effort.QUICK])],
        SUBJECTS[:1],
        facts(SUBJECTS[:1], control=False),
        20261123,
    )
    assert first.id == "consistency/instances/memory/1"
    assert first.seed == 92245948696723


def test_repeats_are_spread_over_the_run_in_shuffled_rounds() -> None:
    """Round r holds the r-th repeats only, and rounds come in different orders."""
    trials = [trial for trial in planned() if trial.scenario == "latency"]
    assert [trial.repeat for trial in trials] == sorted(trial.repeat for trial in trials)
    orders = {tuple(t.label for t in trials if t.repeat == repeat) for repeat in range(1, 11)}
    assert len(orders) > 5


def test_every_trial_has_a_seed_of_its_own() -> None:
    """No two trials share a seed, and each fits a double exactly."""
    seeds = [trial.seed for trial in planned()]
    assert len(set(seeds)) == len(seeds)
    assert max(seeds) < 2**53


def test_the_control_is_a_subject_on_a_server_under_two_labels() -> None:
    """One subject is planned twice where the scenario asks for it, and marked as control."""
    described = facts(SUBJECTS, control=True)
    [again] = [fact for fact in described if fact.control]
    assert (again.label, again.spec) == ("served:a (again)", "served:a")
    by_scenario = {trial.scenario for trial in planned() if trial.label == again.label}
    assert by_scenario == {"latency"}


def test_without_a_server_the_first_subject_is_the_control() -> None:
    """A run of one store in process still shows its noise."""
    described = facts([subject("memory")], control=True)
    assert [fact.label for fact in described] == ["memory", "memory (again)"]
    assert [fact.control for fact in facts(SUBJECTS, control=False)] == [False] * len(SUBJECTS)


def test_facts_carry_what_a_report_needs_without_the_backend() -> None:
    """Title, durability class and each missing capability with its reason are written down."""
    [fact] = facts([backends.resolve("memory")], control=False)
    assert (fact.spec, fact.backend, fact.durability) == ("memory:process", "memory", "nothing")
    assert fact.title[0] in string.ascii_uppercase
    assert "gone" in fact.lacking["survives_crash"]


def test_what_adds_sessions_is_measured_last() -> None:
    """A faster store would otherwise refresh among more sessions than a slower one."""
    scenario = scenarios.load("latency")
    [case] = scenario.cases(scenario.presets[Effort.QUICK], MEMORY.profiles["process"].capabilities)
    workloads = [phase.workload for phase in case.phases if isinstance(phase, Measure)]
    assert len(workloads) == len(case.phases)
    adding = ["issue" in workload.mix for workload in workloads]
    assert adding == sorted(adding)
    assert workloads[-1].mix == {"issue": 1}


def test_a_server_of_the_users_is_spared_every_fault_and_that_is_said() -> None:
    """What would stop or kill it isn't planned; everything else is, for it and for the others."""
    described = facts(SUBJECTS, control=True)
    every = {trial.id for trial in plan(chosen(Effort.QUICK), SUBJECTS, described, 7)}
    spared = {t.id for t in plan(chosen(Effort.QUICK), SUBJECTS, described, 7, {"served:a"})}
    faults = ("restart", "crash", "powercut")
    assert every - spared == {
        f"durability/{case}/served:a/{repeat}" for case in faults for repeat in (1, 2, 3)
    }
    [said] = left_out(chosen(Effort.QUICK), SUBJECTS, described, {"served:a"})
    assert said.spec == "served:a in durability"
    assert "yours" in said.reason
    assert left_out(chosen(Effort.QUICK), SUBJECTS, described, set()) == []


def test_a_scenario_about_several_servers_has_subjects_of_its_own() -> None:
    """Unless some are named, each scenario takes its own; a single server can't fail over."""
    loaded = [scenarios.load("durability"), scenarios.load("failover")]
    specs = default_subjects(loaded)
    assert {*DEFAULT_SUBJECTS, *loaded[1].subjects} == set(specs)
    subjects = [backends.resolve(spec) for spec in ("redis:none", "redis@sentinel")]
    assert kept_apart(loaded, subjects, named=False) == [
        ("durability", "redis:aof-everysec@sentinel"),
        ("failover", "redis:none"),
    ]
    assert kept_apart(loaded, subjects, named=True) == [("failover", "redis:none")]
    [left] = without_topology(loaded, subjects)
    assert left.spec == "redis:none in failover"


def test_who_reads_from_no_replica_is_not_asked_how_stale_it_is() -> None:
    """It is left out with the reason before any server starts; who does read is planned."""
    staleness = scenarios.load("staleness")
    asked = [(staleness, staleness.presets[Effort.QUICK])]
    subjects = [backends.resolve(spec) for spec in ("redis@cluster", "redis@sentinel")]
    described = facts(subjects, control=False)
    [trial] = plan(asked, subjects, described, 1)
    assert trial.label == "redis:aof-everysec@sentinel"
    [left] = left_out(asked, subjects, described, spared=())
    assert left.spec == "redis:aof-everysec@cluster in staleness"


def test_a_plain_run_takes_every_default_subject() -> None:
    """What a run takes by default is written with its profile, as it is told apart by it."""
    names = [*DEFAULT_SUBJECTS, *scenarios.load("failover").subjects]
    assert [backends.resolve(name).spec for name in names] == names
    loaded = [scenarios.load(name) for name in scenarios.by_default()]
    subjects = [backends.resolve(name) for name in DEFAULT_SUBJECTS]
    assert kept_apart(loaded, subjects, named=False) == []
