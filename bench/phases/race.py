"""Executes a `Race`: every instance makes its call at the same moment, round after round."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from bench.errors import Failed
from bench.faults.proxy import Proxy, address
from bench.load import racing as task
from bench.load.clients import Held, subject_of
from bench.load.history_load import OPS_A_CLIENT
from bench.load.racing import Heat
from bench.load.workers import Process, Worker, together, workers
from bench.phases.mishap import PAUSE_SECONDS, Pauses, pause_times_ns
from bench.phases.stage import Stage
from scenarios.history import Event
from scenarios.phases.race import Race, Raced

LEAST_GAP_NS = 1_000_000
"""Between the starts of two races."""
MOST_GAP_NS = 50_000_000
MISHAP_GAP_NS = int(2 * PAUSE_SECONDS * 1e9)
SPIN_NS = 200_000
CALL_SECONDS = 0.05
"""What one call may take on a busy machine, when many are made one after another."""
RETRIES_SECONDS = 2.0
"""What a driver's own retries may add to one race."""


def execute(phase: Race, stage: Stage) -> Raced:
    """Open the sessions in one instance, set all on them, and look at what came of it."""
    if why := _unsuited(phase, stage):
        return Raced(phase=phase, history=[], unsuited=why)
    with contextlib.ExitStack() as ends:
        proxy = None
        if phase.mishap == "lost answers":
            assert stage.server is not None
            proxy = ends.enter_context(Proxy(*address(stage.server.url)))
        crew = ends.enter_context(_crew(phase, stage, proxy))
        return _run(phase, stage, crew, proxy)


def _unsuited(phase: Race, stage: Stage) -> str:
    if phase.mishap in {"lost answers", "paused server"} and stage.server is None:
        return "the store has no server, so nothing is between"
    if phase.mishap == "paused server" and stage.server and not stage.server.faultable:
        return "the server is yours, so it is never paused"
    if phase.mishap == "paused instance" and not stage.shared:
        return "its instances are threads of one process, and stand still together"
    return ""


@contextlib.contextmanager
def _crew(phase: Race, stage: Stage, proxy: Proxy | None) -> Iterator[Sequence[Worker]]:
    count = phase.instances if stage.shared else 1
    if proxy is None:
        yield stage.crew(count)
        return
    assert stage.server is not None
    with workers(count) as crew:
        for worker in crew:
            stage.open(worker, proxy.reroute(stage.server.url))
        yield crew


def _run(phase: Race, stage: Stage, crew: Sequence[Worker], proxy: Proxy | None) -> Raced:
    # Operations are numbered by seat; who opens the sessions and who looks have seats of their own.
    opener, looker = phase.instances * OPS_A_CLIENT, (phase.instances + 1) * OPS_A_CLIENT
    [(entries, opened)] = together(
        [crew[0].submit(task.enter, phase.rounds, phase.contest, opener)],
        phase.rounds * CALL_SECONDS,
    )
    # A race should be over before the next begins; racers on one lock finish one after another.
    alone_ns = crew[0].call(task.rotation_ns, phase.instances // len(crew))
    gap_ns = min(max(2 * alone_ns * phase.instances, LEAST_GAP_NS), MOST_GAP_NS)
    if phase.mishap != "none":
        gap_ns = max(gap_ns, MISHAP_GAP_NS)
    # With more processes than cores, those that spin would keep the others from their start; the
    # threads of one process have one core between them, and take turns while they spin.
    spin_ns = SPIN_NS if phase.instances <= stage.most_at_once or not stage.shared else 0
    heat = Heat(phase.contest, phase.instances, entries, stage.soon_ns(), gap_ns, spin_ns)
    seats = [range(n, phase.instances, len(crew)) for n in range(len(crew))]
    slack_seconds = phase.rounds * (CALL_SECONDS if proxy is None else RETRIES_SECONDS)
    pauses = Pauses(lambda: stage.server_pids() if phase.mishap == "paused server" else _last(crew))
    with _mishaps(phase, stage, heat, pauses, proxy):
        raced = together(
            [
                worker.submit(task.race, heat, list(places))
                for worker, places in zip(crew, seats, strict=True)
            ],
            phase.rounds * gap_ns / 1e9 + slack_seconds,
        )
    calls = [event for events in raced for event in events]
    tokens = _tokens([*opened, *calls], entries)
    [looks] = together([crew[0].submit(task.look, tokens, looker)], len(tokens) * CALL_SECONDS)
    return Raced(
        phase=phase,
        history=sorted([*opened, *calls, *looks], key=lambda event: event.invoke_ns),
        mishaps=pauses.count if proxy is None else proxy.dropped,
    )


def _last(crew: Sequence[Worker]) -> Sequence[int]:
    last = crew[-1]
    if not isinstance(last, Process):
        raise Failed("a worker on another host can't be paused: run it with --workers local")
    return [last.pid]


@contextlib.contextmanager
def _mishaps(
    phase: Race, stage: Stage, heat: Heat, pauses: Pauses, proxy: Proxy | None
) -> Iterator[None]:
    if phase.mishap == "none":
        yield
    elif proxy is not None:
        # Of each race, the answer to the call that reaches the server first. Told by the family's
        # name, which may come late on a busy machine, and which no driver's heartbeat has.
        proxy.drop_first_replies([entry.family.id.encode() for entry in heat.entries])
        yield
        proxy.disarm()
    else:
        with pauses.running(pause_times_ns(stage.seed, heat.start_ns, phase.rounds, heat.gap_ns)):
            yield


def _tokens(history: Sequence[Event], entries: Sequence[Held]) -> Sequence[Held]:
    """Give every token that someone was given, or may have been."""
    by_subject: Mapping[str, Held] = {entry.family.subject: entry for entry in entries}
    given = []
    for event in history:
        made = event.kind == "issue" or event.outcome == "rotated" or event.status == "unknown"
        if made and event.kind in {"issue", "rotate"} and event.status != "fail":
            entry = by_subject[subject_of(event.family)]
            given.append(
                entry._replace(
                    family=entry.family._replace(id=event.family),
                    generation=event.generation,
                    digest=bytes.fromhex(event.digest),
                )
            )
    return given
