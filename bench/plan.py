"""The plan of a run: every trial it will take, in the order it will take them. Pure.

Trials go in rounds: round r holds the r-th repeat of everything, shuffled. So the repeats of a
subject are spread over the whole run, its neighbours differ each time, and a machine that slows
down slows all subjects alike. The order and each trial's seed come from SHA-256 of the run's seed
and the trial's id: the same on every machine and Python.

The plan has as many rounds as a run may take. Which of those beyond the least are taken is decided
as the run goes, from its records: `bench.analysis.sampling`.
"""

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence

from backends import Subject
from bench import faults
from bench.faults import Lack
from bench.record import PlannedTrial, SessionBound, Skipped, SubjectFacts
from scenarios.phases.stale import Stale
from scenarios.scenario import Case, Companion, Parameters, Scenario

DEFAULT_SUBJECTS = (
    "memory:process",
    "files:fsync",
    "files:nofsync",
    "sqlite:wal-full",
    "cookie:signed",
    "postgres:sync",
    "postgres:async",
    "postgres-sqlalchemy:sync",
    "redis:none",
    "redis:aof-everysec",
    "redis:aof-always",
    "mongo:w1",
    "mongo:journaled",
)
"""What a run compares unless told otherwise, each with its profile: every backend at what it is
usually deployed with, and where durability is a setting, both sides of that choice. The rest
(`redis:rdb`, `postgres:nofsync`, `mongo:majority`, the other journal modes of SQLite) is there for
the asking: each would lengthen the run, and answers a narrower question."""


def default_subjects(scenarios: Sequence[Scenario]) -> Sequence[str]:
    """Give what a run of `scenarios` compares unless told otherwise."""
    return tuple(dict.fromkeys(spec for one in scenarios for spec in _of_its_own(one)))


def _of_its_own(scenario: Scenario) -> Sequence[str]:
    return scenario.subjects or DEFAULT_SUBJECTS


def kept_apart(
    scenarios: Sequence[Scenario], subjects: Sequence[Subject], *, named: bool
) -> Sequence[tuple[str, str]]:
    """Give scenario and spec of those that don't go together.

    A scenario with subjects of its own is about several servers. Where subjects are `named`, any
    other takes them all; where they aren't, each takes its own.
    """
    return [
        (scenario.name, subject.spec)
        for scenario in scenarios
        for subject in subjects
        if (
            (scenario.subjects and subject.topology is None)
            or not (named or subject.spec in _of_its_own(scenario))
        )
    ]


SEED_BITS = 48
"""Fits a double, so that any reader of the record's JSON gets the seed exactly."""


def facts(
    subjects: Sequence[Subject], *, control: bool, company: Container[str] = ()
) -> list[SubjectFacts]:
    """Describe the subjects for the record; with `control`, one of them a second time (A/A).

    The control is the first subject on a server, where noise has the most sources, or the first
    of all.
    """
    described = [
        _facts(one).model_copy(update={"companion": one.spec in company}) for one in subjects
    ]
    if not control:
        return described
    asked = [one for one in subjects if one.spec not in company]
    single = [one for one in asked if not one.backend.naive and one.topology is None]
    compared = single or asked
    twice = next((s for s in compared if s.backend.server), compared[0])
    again = _facts(twice).model_copy(update={"label": f"{twice.spec} (again)", "control": True})
    return [*described, again]


def _facts(subject: Subject) -> SubjectFacts:
    bound = subject.profile.capabilities.bound
    return SubjectFacts(
        label=subject.spec,
        spec=subject.spec,
        backend=subject.backend.name,
        title=subject.backend.title,
        durability=subject.profile.durability,
        lacking=dict(subject.lacking),
        naive=subject.backend.naive,
        topology=subject.topology and subject.topology.name,
        bound=SessionBound(sessions=bound.sessions, reason=bound.reason) if bound else None,
    )


def plan(
    scenarios: Sequence[tuple[Scenario, Parameters]],
    subjects: Sequence[Subject],
    described: Sequence[SubjectFacts],
    seed: int,
    spared: Container[str] = (),
    lacking: Mapping[str, Lack] = {},
    apart: Container[tuple[str, str]] = (),
) -> list[PlannedTrial]:
    """Give every trial once: each scenario's cases for each label, as often as it may be taken.

    Subjects in `spared` get no case that stops or kills their server; nobody gets a fault in
    `lacking`, which this machine can't bring about; a naive one has a part only in scenarios for
    such; a companion only in cases that it is needed for, and that another goes through; a scenario
    and a spec in `apart` aren't brought together.
    """
    more = {scenario.name: asked.most_trials - asked.trials for scenario, asked in scenarios}
    taken = [
        (scenario, fact, case)
        for scenario, fact, subject, case in _cases(scenarios, subjects, described)
        if (scenario.name, fact.spec) not in apart
        and _excuse(scenario, subject, case, spared, lacking) is None
    ]
    accompanied = {(scenario.name, case.name) for scenario, f, case in taken if not f.companion}
    rounds: dict[int, list[PlannedTrial]] = {}
    for scenario, fact, case in taken:
        if (scenario.name, case.name) not in accompanied:
            continue
        for repeat in range(1, case.trials + more[scenario.name] + 1):
            trial = _trial(scenario.name, case.name, fact.label, repeat, seed)
            rounds.setdefault(repeat, []).append(trial)
    return [
        trial
        for repeat in sorted(rounds)
        for trial in sorted(rounds[repeat], key=lambda trial: _drawn(seed, "order", trial.id))
    ]


def left_out(
    scenarios: Sequence[tuple[Scenario, Parameters]],
    subjects: Sequence[Subject],
    described: Sequence[SubjectFacts],
    spared: Container[str],
    lacking: Mapping[str, Lack] = {},
    apart: Container[tuple[str, str]] = (),
) -> list[Skipped]:
    """Say what `plan` leaves out, and why."""
    excuses = [
        _excuse(scenario, subject, case, spared, lacking)
        for scenario, fact, subject, case in _cases(scenarios, subjects, described)
        if not fact.companion and (scenario.name, subject.spec) not in apart
    ]
    return list({excuse.spec: excuse for excuse in excuses if excuse is not None}.values())


def _excuse(
    scenario: Scenario,
    subject: Subject,
    case: Case,
    spared: Container[str],
    lacking: Mapping[str, Lack],
) -> Skipped | None:
    """Say why a subject isn't put through a case; None if it is."""
    if subject.spec in spared and any(phase.disturbs for phase in case.phases):
        return Skipped(
            spec=f"{subject.spec} in {scenario.name}",
            reason="the server is yours, so it is never stopped or killed",
            mend="refreshbench run --servers wheel",
        )
    through_replica = any(isinstance(phase, Stale) for phase in case.phases)
    if through_replica and subject.topology and not subject.topology.replica_reads:
        return Skipped(
            spec=f"{subject.spec} in {scenario.name}",
            reason="no instance of it reads from a replica",
            mend=f"refreshbench run {scenario.name} -b {scenario.subjects[0]}",
        )
    for fault in faults.names_in(case):
        if lack := lacking.get(fault):
            return Skipped(spec=f"{fault} in {scenario.name}", reason=lack.reason, mend=lack.mend)
        if subject.topology is not None and faults.load(fault).needs is not None:
            return Skipped(
                spec=f"{subject.spec} in {scenario.name}, {fault}",
                reason="it has several disks and connections, and the fault strikes one",
                mend=f"-b {subject.spec.partition('@')[0]}, or refreshbench run failover",
            )
        if subject.backend.server is None and faults.load(fault).needs == "connection":
            return Skipped(
                spec=f"{subject.spec} in {scenario.name}, {fault}",
                reason="it lives in the application: there is no connection to it",
                mend="name a store that has a server",
            )
    return None


def without_topology(
    scenarios: Sequence[Scenario], subjects: Sequence[Subject]
) -> Sequence[Skipped]:
    """Say which of the named subjects a scenario about several servers leaves out."""
    return [
        Skipped(
            spec=f"{subject.spec} in {scenario.name}",
            reason="it has no topology, and this is about several servers",
            mend=f"refreshbench run {scenario.name} -b {scenario.subjects[0]}",
        )
        for scenario in scenarios
        for subject in subjects
        if scenario.subjects and subject.topology is None
    ]


def _cases(
    scenarios: Sequence[tuple[Scenario, Parameters]],
    subjects: Sequence[Subject],
    described: Sequence[SubjectFacts],
) -> Iterator[tuple[Scenario, SubjectFacts, Subject, Case]]:
    known = {subject.spec: subject for subject in subjects}
    asked = [known[fact.spec] for fact in described if not (fact.companion or fact.control)]
    for scenario, parameters in scenarios:
        company = {one.spec: one.cases for one in companions(scenario, parameters, asked)}
        for fact in described:
            if fact.companion and fact.spec not in company:
                continue
            if fact.naive and not scenario.naive:
                continue
            if fact.control and not scenario.control:
                continue
            subject = known[fact.spec]
            wanted = company.get(fact.spec) if fact.companion else None
            for case in scenario.cases(parameters, subject.profile.capabilities):
                if wanted is None or case.name in wanted:
                    yield scenario, fact, subject, case


def companions(
    scenario: Scenario, parameters: Parameters, asked: Sequence[Subject]
) -> Sequence[Companion]:
    """Give who accompanies the subjects that were asked for; naive ones count if they are alone."""
    compared = [subject for subject in asked if not subject.backend.naive]
    return scenario.companions(parameters, compared or asked)


def _trial(scenario: str, case: str, label: str, repeat: int, seed: int) -> PlannedTrial:
    name = f"{scenario}/{case}/{label}/{repeat}"
    return PlannedTrial(
        id=name,
        scenario=scenario,
        case=case,
        label=label,
        repeat=repeat,
        seed=_drawn(seed, "trial", name),
    )


def _drawn(seed: int, purpose: str, name: str) -> int:
    """Give a number that looks random, and is the same wherever it is asked for."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{name}".encode()).digest()
    return int.from_bytes(digest[: SEED_BITS // 8], "big")
