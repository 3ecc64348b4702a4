"""A run from its options to its report: start one, or go on with one that was cut short."""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from rich.console import Console

import scenarios
from backends.tokens import ALGORITHMS
from bench import analysis, faults, report, token_costs
from bench.analysis.sampling import left
from bench.environment import Environment, differences
from bench.errors import WrongUse
from bench.interruption import interruptible
from bench.load import cluster
from bench.load.workers import Source
from bench.machine import collect
from bench.options import RunOptions, contradictions, writable
from bench.plan import (
    companions,
    default_subjects,
    facts,
    kept_apart,
    left_out,
    plan,
    without_topology,
)
from bench.progress import display
from bench.record import PlannedTrial, Record, Run, Skipped, SubjectFacts, Trial
from bench.run_folder import RunExists, RunFolder
from bench.runner import Runner
from bench.servers.server import Found
from bench.spoilers import spoilers
from bench.subjects import Chosen, accompanied, available, named
from bench.workspace import Workspace
from scenarios.scenario import Effort, Parameters

TOKEN_SECONDS = {Effort.QUICK: 0.2, Effort.STANDARD: 1.0, Effort.THOROUGH: 3.0}
"""Spent on measuring one JWT algorithm."""


class Folders(Record):
    """Where runs and reports go."""

    results: Path
    reports: Path

    def check(self) -> None:
        """Raise WrongUse unless both can be written."""
        writable("--results", self.results)
        writable("--reports", self.reports)


class Counts(Record):
    """Trials of a run."""

    planned: int
    ok: int
    failed: int


class FailedTrial(Record):
    """A trial that did not come out, or of which it can't be told what came out."""

    id: str
    error: str


class RunResult(Record):
    """What `run --json` prints."""

    run: Path
    """The run's folder, absolute."""
    report: Path
    """The report's page, absolute."""
    status: Literal["ok", "failed"]
    trials: Counts
    failed: list[FailedTrial]
    skipped: list[Skipped]


def start(options: RunOptions, folders: Folders, console: Console) -> RunResult:
    """Run what was asked for, and report.

    Raises WrongUse, Missing, Failed, BadSubject, Interrupted.
    """
    folders.check()
    parameters = options.parameters()
    asked = [scenarios.load(name) for name in parameters]
    if options.backends:
        chosen = named(options.backends, options.servers)
    else:
        chosen = available(default_subjects(asked), options.servers)
    company = [
        one.spec
        for name, values in parameters.items()
        for one in companions(scenarios.load(name), values, chosen.subjects)
    ]
    chosen = accompanied(chosen, company, options.servers)
    with (
        interruptible(f"what is recorded is in {folders.results}"),
        cluster.source(options.workers) as source,
        Workspace() as workspace,
    ):
        source.require_reach(chosen.servers)
        console.print("looking at this machine", style="dim")
        environment = _environment(workspace.path, chosen.servers)
        run = _describe(options, parameters, chosen, environment, workspace.folder("faults"))
        folder = _create(folders.results, options, run)
        with interruptible(_go_on(folder)), folder.locked():
            _announce(run, folder, console)
            _execute(folder, run, [], chosen.servers, workspace, source, console)
            return _finish(folder, folders)


def resume(name: str, given: RunOptions, folders: Folders, console: Console) -> RunResult:
    """Go on with a run: same plan and seed, each trial once. A complete one is reported again.

    Raises WrongUse also where an option says otherwise than the run, or the machine has changed.
    """
    folders.check()
    folder = RunFolder.named(name, folders.results)
    with interruptible(_go_on(folder)), folder.locked():
        run, trials = folder.run(), folder.trials()
        recorded = RunOptions.parse({**run.options, "seed": run.seed})
        if wrong := contradictions(given, recorded):
            raise WrongUse(f"{folder.path.name} was started otherwise: {'; '.join(wrong)}")
        if left(run, trials):
            chosen = named([fact.spec for fact in run.subjects], recorded.servers)
            where = (given if "workers" in given.model_fields_set else recorded).workers
            with cluster.source(where) as source, Workspace() as workspace:
                source.require_reach(chosen.servers)
                now = _environment(workspace.path, chosen.servers)
                if changed := differences(_recorded(run, folder), now):
                    raise WrongUse(
                        f"{folder.path.name} can't go on here: {'; '.join(changed)}; run it anew"
                    )
                _execute(folder, run, trials, chosen.servers, workspace, source, console)
        return _finish(folder, folders)


def _environment(scratch: Path, servers: Mapping[str, Found]) -> Environment:
    found = collect(scratch)
    versions = {f"{kind} server": f"{one.version} ({one.way})" for kind, one in servers.items()}
    return found.model_copy(update={"versions": found.versions | versions})


def _recorded(run: Run, folder: RunFolder) -> Environment:
    try:
        return Environment.model_validate(run.environment)
    except ValidationError as error:
        raise WrongUse(f"{folder.path / 'run.json'} is damaged: its environment") from error


def _describe(
    options: RunOptions,
    parameters: Mapping[str, Parameters],
    chosen: Chosen,
    environment: Environment,
    scratch: Path,
) -> Run:
    seed = secrets.randbits(32) if options.seed is None else options.seed
    asked = [(scenarios.load(name), values) for name, values in parameters.items()]
    described = facts(
        chosen.subjects,
        control=any(scenario.control for scenario, _ in asked),
        company=chosen.company,
    )
    cases = [
        case
        for scenario, values in asked
        for subject in chosen.subjects
        for case in scenario.cases(values, subject.profile.capabilities)
    ]
    named = dict.fromkeys(name for case in cases for name in faults.names_in(case))
    lacking = faults.lacking(named, scratch)
    questions = [scenario for scenario, _ in asked]
    apart = kept_apart(questions, chosen.asked, named=bool(options.backends))
    skipped = left_out(asked, chosen.subjects, described, chosen.spared, lacking, apart)
    if options.backends:
        skipped += without_topology(questions, chosen.asked)
    planned = plan(asked, chosen.subjects, described, seed, chosen.spared, lacking, apart)
    if not planned:
        raise WrongUse(
            "nothing is left to run: "
            + "; ".join(f"{one.spec}: {one.reason} ({one.mend})" for one in skipped)
        )
    return Run(
        started_at=datetime.now(UTC),
        seed=seed,
        effort=options.effort,
        options=options.model_dump(mode="json", exclude_unset=True),
        parameters={name: values.model_dump(mode="json") for name, values in parameters.items()},
        subjects=_with_a_part(described, planned),
        skipped=[*chosen.skipped, *skipped],
        plan=planned,
        environment=environment.model_dump(mode="json"),
        tokens=token_costs.measure(ALGORITHMS, TOKEN_SECONDS[Effort(options.effort)]),
    )


def _with_a_part(
    described: Sequence[SubjectFacts], planned: Sequence[PlannedTrial]
) -> list[SubjectFacts]:
    """Leave out company that nothing is left for."""
    labels = {trial.label for trial in planned}
    return [one for one in described if not one.companion or one.label in labels]


def _create(results: Path, options: RunOptions, run: Run) -> RunFolder:
    """Make the run's folder, under another name where a run of the same second has it."""
    name = "-".join([f"{run.started_at:%Y%m%dT%H%M%SZ}", *options.scenarios, options.effort])
    for number in itertools.count(1):
        path = results / (name if number == 1 else f"{name}-{number}")
        try:
            return RunFolder.create(path.absolute(), run)
        except RunExists:
            continue
    raise AssertionError(name)


def _announce(run: Run, folder: RunFolder, console: Console) -> None:
    for skipped in run.skipped:
        console.print(f"skipped {skipped.spec}: {skipped.reason}; {skipped.mend}", markup=False)
    for warning in spoilers(_recorded(run, folder)):
        console.print(f"note: {warning}", markup=False)
    console.print(
        f"{_how_many(run)} trials of {', '.join(run.parameters)}, {run.effort} effort,"
        f" seed {run.seed}, into {folder.path}",
        markup=False,
    )


def _how_many(run: Run) -> str:
    least, most = len(left(run, [])), len(run.plan)
    return str(most) if least == most else f"{least} to {most}"


def _execute(
    folder: RunFolder,
    run: Run,
    done: Sequence[Trial],
    servers: Mapping[str, Found],
    workspace: Workspace,
    source: Source,
    console: Console,
) -> None:
    with display(run, done, console) as progress:
        Runner(
            folder=folder,
            run=run,
            servers=servers,
            workspace=workspace,
            progress=progress,
            source=source,
        ).execute(done)


def _go_on(folder: RunFolder) -> str:
    return f"go on with: refreshbench run --resume {folder.path}"


def _finish(folder: RunFolder, folders: Folders) -> RunResult:
    run, trials = folder.run(), folder.trials()
    page = report.write(folder, folders.reports / folder.path.name)
    failed = [
        FailedTrial(id=trial.id, error=trial.error or f"undecided: {trial.findings['undecided']}")
        for trial in trials
        # What nobody can tell is no success.
        if trial.status == "failed" or trial.findings.get("undecided")
    ]
    return RunResult(
        run=folder.path.absolute(),
        report=page.absolute(),
        status="failed" if failed else "ok",
        trials=Counts(
            planned=len(trials) + len(left(run, trials)),
            ok=len(trials) - len(failed),
            failed=len(failed),
        ),
        failed=failed,
        skipped=run.skipped,
    )


def short_table(result: RunResult) -> report.ShortTable:
    """Give the comparison as it fits a terminal."""
    folder = RunFolder(result.run)
    return report.short_table(analysis.summary(folder.run(), folder.trials()))
