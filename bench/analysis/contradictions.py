"""Where a run contradicts what a store declares: a finding, whichever of the two is wrong."""

from collections.abc import Sequence

from bench.analysis.consistency import RaceFigures, SeenAtOnce
from bench.analysis.durability import FaultFigures
from bench.analysis.failover import FailoverFigures
from bench.record import Record, Run
from scenarios.durability import PROMISES

EXCUSES = {"rotate": "detects_reuse", "revoke": "revokes"}
"""Act -> the capability without which nobody, the actor included, could see that it was done."""


class Contradiction(Record):
    """One declared capability that the record speaks against."""

    label: str
    capability: str
    found: str
    """In plain words, with the figures."""
    trials: list[str]


def contradictions(
    run: Run,
    faults: Sequence[FaultFigures],
    sightings: Sequence[SeenAtOnce],
    races: Sequence[RaceFigures],
    failovers: Sequence[FailoverFigures],
) -> Sequence[Contradiction]:
    """Compare each subject's capabilities with what was found."""
    lacking = {subject.label: subject.lacking for subject in run.subjects}
    found: list[Contradiction] = []
    for fault in faults:
        promise = PROMISES.get(fault.fault)
        lost = fault.losses["lost_writes"]
        if promise and promise not in lacking[fault.label] and lost.total:
            words = (
                f"lost {lost.total:,} of {fault.acknowledged:,} acknowledged writes in"
                f" {lost.trials_with} of {len(fault.trials)} trials of {fault.fault}"
            )
            found.append(_of(fault.label, promise, words, fault.trials))
    for failover in failovers:
        promise = "survives_failover"
        if promise not in lacking[failover.label] and failover.lost_writes:
            words = (
                f"lost {failover.lost_writes:,} of {failover.acknowledged:,} acknowledged writes in"
                f" {failover.trials_with_loss} of {failover.decided} trials of {failover.fault}"
            )
            found.append(_of(failover.label, promise, words, failover.trials))
    for sight in sightings:
        excused = {"shared_by_processes", EXCUSES.get(sight.act)} & lacking[sight.label].keys()
        if sight.seen < sight.looks and not excused:
            words = (
                f"{sight.looks - sight.seen:,} of {sight.looks:,} looks by other instances"
                f" ({sight.instances}) did not see an acknowledged {sight.act}"
            )
            found.append(_of(sight.label, "shared_by_processes", words, sight.trials))
    for race in races:
        if race.naive or not race.harmed:
            continue
        capability = "detects_reuse" if race.contest == "rotate" else "revokes"
        if capability not in lacking[race.label]:
            amid = "" if race.mishap == "none" else f", amid {race.mishap},"
            words = (
                f"{race.harmed:,} of {race.contested:,} contested races among {race.instances}"
                f" instances ({race.contest}){amid} left a token good that should not be"
            )
            found.append(_of(race.label, capability, words, race.trials))
    return found


def _of(label: str, capability: str, found: str, trials: Sequence[str]) -> Contradiction:
    return Contradiction(label=label, capability=capability, found=found, trials=list(trials))
