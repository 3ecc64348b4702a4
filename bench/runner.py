"""The runner: takes each planned trial through its phases, and records what came of it.

server started -> place prepared -> settings read back -> phases -> judged -> appended
"""

import contextlib
import shutil
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import backends
import scenarios
from backends import Subject
from backends.store import Place
from bench import faults, phases, servers
from bench.analysis.need import Group, group_of
from bench.analysis.sampling import Sampler
from bench.errors import Missing, WrongUse
from bench.faults.proxy import Proxy, address
from bench.load.workers import Source
from bench.phases.stage import Stage
from bench.record import PlannedTrial, Run, ServerFacts, Trial, WorkerFacts
from bench.run_folder import RunFolder
from bench.servers.cluster import Cluster
from bench.servers.server import Found, Server
from bench.volume import ThinVolume, Volume
from bench.workspace import Workspace
from scenarios.history import Event, to_lines
from scenarios.scenario import Case, Observation, Phase, Remembers, Scenario


class Progress(Protocol):
    """Who is told how the run gets on."""

    def started(self, trial: PlannedTrial) -> None:
        """Say that a trial begins."""

    def step(self, text: str) -> None:
        """Say what the trial is at now."""

    def finished(self, trial: Trial) -> None:
        """Say that a trial is over and recorded."""

    def spared(self, trial: PlannedTrial) -> None:
        """Say that a planned trial isn't needed."""


class Runner:
    """Runs the planned trials of one run that aren't done yet."""

    def __init__(
        self,
        *,
        folder: RunFolder,
        run: Run,
        servers: Mapping[str, Found],
        workspace: Workspace,
        progress: Progress,
        source: Source | None = None,
    ) -> None:
        self._folder = folder
        self._run = run
        self._servers = servers
        """Kind of server -> the way it is had here."""
        self._workspace = workspace
        self._progress = progress
        self._source = source
        self._subjects = {one.label: backends.resolve(one.spec) for one in run.subjects}

    def execute(self, done: Collection[Trial]) -> None:
        """Run every planned trial that is needed and isn't done.

        Raises WrongUse, Missing, Failed.
        """
        sampler, recorded = Sampler(self._run, done), {trial.id for trial in done}
        enough: set[Group] = set()
        for planned in self._run.plan:
            if planned.id in recorded or group_of(planned) in enough:
                continue
            need = sampler.need(planned)
            if not need.taken:
                # A group that has enough takes no other: nothing more becomes known of it.
                enough.add(group_of(planned))
                self._spare(planned)
                continue
            self._progress.started(planned)
            trial = self._trial(planned).model_copy(update={"because": need.because})
            self._folder.append(trial)
            sampler.finished(trial)
            self._progress.finished(trial)

    def _spare(self, first: PlannedTrial) -> None:
        """Tell of a planned trial that isn't needed, and of all that would repeat it."""
        for planned in self._run.plan:
            if group_of(planned) == group_of(first) and planned.repeat >= first.repeat:
                self._progress.spared(planned)

    def _trial(self, planned: PlannedTrial) -> Trial:
        """Run one trial; what goes wrong in it is its result, not the end of the run."""
        started_at, begin = datetime.now(UTC), time.monotonic()
        played, error = _Played(), None
        try:
            played = self._play(planned)
        except (WrongUse, Missing):
            raise
        # A store or server of anyone may fail in any way: the record says how.
        except Exception as raised:  # noqa: BLE001
            error = f"{type(raised).__name__}: {raised}"
            self._folder.write_error(planned.id, traceback.format_exc())
        # Outside: a folder that can't be written ends the run, and is no trial's fault.
        if played.history:
            self._folder.write_history(planned.id, to_lines(played.history))
        return Trial(
            id=planned.id,
            scenario=planned.scenario,
            case=planned.case,
            label=planned.label,
            repeat=planned.repeat,
            started_at=started_at,
            seconds=time.monotonic() - begin,
            status="ok" if error is None else "failed",
            error=error,
            server=played.server,
            settings=dict(played.settings),
            workers=list(played.workers),
            findings=dict(played.findings),
        )

    def _play(self, planned: PlannedTrial) -> "_Played":
        subject = self._subjects[planned.label]
        scenario = scenarios.load(planned.scenario)
        case = self._case(scenario, planned, subject)
        with contextlib.ExitStack() as ends:
            site = self._place(subject, case, ends)
            subject.prepare(site.place)
            stage = ends.enter_context(
                Stage(
                    subject=subject,
                    place=site.place,
                    policy=case.policy,
                    server=site.server,
                    seed=planned.seed,
                    scratch=self._folder_for(ends),
                    volume=site.volume,
                    proxy=site.proxy,
                    source=self._source,
                )
            )
            facts, joined = None, {}
            # Asked before the phases: a fault may leave it unable to answer.
            if (server := site.server) is not None:
                facts = ServerFacts(kind=server.kind, way=server.way, version=server.version())
                joined = dict(server.joined()) if isinstance(server, Cluster) else {}
            observations = [self._observe(phase, stage) for phase in case.phases]
        findings = scenario.judge(observations).model_dump(mode="json")
        remembered = [seen for seen in observations if isinstance(seen, Remembers)]
        history = [event for seen in remembered for event in seen.history]
        return _Played(facts, {**stage.settings, **joined}, findings, history, stage.workers)

    def _place(self, subject: Subject, case: Case, ends: contextlib.ExitStack) -> "_Site":
        """Give a fresh place: a folder, and a server just started if the backend needs one.

        A fault that strikes the disk gets the data on one of the trial's own.
        """
        needs = {faults.load(name).needs for name in faults.names_in(case)}
        kind = subject.backend.server
        directory = self._folder_for(ends)
        folder = self._folder_for(ends)
        volume = None
        if needs & {"volume", "thin volume"}:
            make = ThinVolume if "thin volume" in needs else Volume
            volume = make(self._folder_for(ends), folder / "data" if kind else directory)
            ends.callback(volume.close)
        if kind is None:
            return _Site(Place(directory), volume=volume)
        server = servers.start(self._servers[kind], folder, subject.profile.server, subject.layout)
        ends.callback(server.close)
        if "connection" not in needs:
            return _Site(Place(directory, server.url), server, volume)
        proxy = ends.enter_context(Proxy(*address(server.url)))
        return _Site(Place(directory, proxy.reroute(server.url)), server, volume, proxy)

    def _folder_for(self, ends: contextlib.ExitStack) -> Path:
        """Give an empty folder that is removed with the trial."""
        folder = self._workspace.folder("trial")
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _observe(self, phase: Phase, stage: Stage) -> Observation:
        self._progress.step(phase.title)
        return phases.execute(phase, stage)

    def _case(self, scenario: Scenario, planned: PlannedTrial, subject: Subject) -> Case:
        parameters = scenario.parameters.model_validate(self._run.parameters[scenario.name])
        cases = scenario.cases(parameters, subject.profile.capabilities)
        [case] = [case for case in cases if case.name == planned.case]
        return case


class _Site(NamedTuple):
    """Where a trial is played."""

    place: Place
    server: Server | None = None
    volume: Volume | None = None
    proxy: Proxy | None = None


class _Played(NamedTuple):
    """What a trial that went through gives to its record."""

    server: ServerFacts | None = None
    settings: Mapping[str, str] = {}
    findings: Mapping[str, Any] = {}
    history: Sequence[Event] = ()
    workers: Sequence[WorkerFacts] = ()
