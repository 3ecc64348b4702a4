"""What became worse between two runs that no speed makes up for: losses, double spends, failures.

Counts of one trial depend on each other, so that losses are compared by trials, and only races and
looks, which are apart, one by one. What a store promises never to do is a regression the first time
it does it; what it may do by its own word has to happen beyond chance more often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.analysis.consistency import RaceFigures, SeenAtOnce
from bench.analysis.contradictions import EXCUSES
from bench.analysis.difference import holm
from bench.analysis.durability import HARMS
from bench.analysis.durability import Harm as HarmName
from bench.analysis.estimate import CONFIDENCE
from bench.analysis.evidence import Judged, judged
from bench.analysis.latency import TOO_MANY_ERRORS
from bench.analysis.summary import Summary
from bench.analysis.verdict import Judgement, Verdict
from bench.record import Run, Trial
from scenarios.durability import PROMISES, DurabilityFindings


class HarmChange(Judgement):
    """How often one harm came to one subject in both runs; every one that grew is a regression."""

    harm: str
    base: int | None
    base_of: int | None
    new: int | None
    new_of: int | None

    @property
    def unseen(self) -> bool:
        """Whether both runs looked for it and neither saw it."""
        return self.base == self.new == 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a harm was seen, of how many chances; by trial where those of one hang together."""

    seen: int
    of: int
    trials: Sequence[str]
    shares: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Harm:
    """One harm of one subject."""

    label: str
    name: str
    promised: bool
    """Whether the subject declares that it never comes."""
    tolerated: float = 0.0
    """The share that counts as none."""


def harm_changes(
    base: Run,
    base_trials: Sequence[Trial],
    before: Summary,
    new: Run,
    new_trials: Sequence[Trial],
    now: Summary,
) -> Sequence[HarmChange]:
    """Compare every harm that could have been seen; those that are tested are one family."""
    one, other = _tallies(base, base_trials, before), _tallies(new, new_trials, now)
    both = [harm for harm in one if harm in other]
    tested = [harm for harm in both if not _plain(harm, one[harm], other[harm])]
    adjusted = dict(
        zip(tested, holm([_chance(one[harm], other[harm]) for harm in tested]), strict=True)
    )
    return [
        _change(harm, one[harm], other[harm], adjusted.get(harm))
        if harm in both
        else _missing(harm, one.get(harm), other.get(harm))
        for harm in dict.fromkeys([*one, *other])
    ]


def _plain(harm: Harm, base: Tally, new: Tally) -> bool:
    """Whether it needs no test: nothing seen, or a promise broken for the first time."""
    return _none(harm, base) and (_none(harm, new) or harm.promised)


def _none(harm: Harm, tally: Tally) -> bool:
    return tally.seen <= harm.tolerated * tally.of


def _chance(base: Tally, new: Tally) -> float:
    # Imported here: it takes more than a second, and most comparisons have nothing to test.
    from scipy.stats import fisher_exact, mannwhitneyu  # noqa: PLC0415

    if base.shares is not None and new.shares is not None:
        alike = len({*base.shares, *new.shares}) == 1
        return 1.0 if alike else float(mannwhitneyu(base.shares, new.shares).pvalue)
    table = np.array([[base.seen, base.of - base.seen], [new.seen, new.of - new.seen]])
    return float(fisher_exact(table).pvalue)


def _change(harm: Harm, base: Tally, new: Tally, p: float | None) -> HarmChange:
    more = new.seen * base.of > base.seen * new.of
    verdict: Verdict = "tie"
    why = ""
    if p is None:
        if not _none(harm, new):
            verdict, why = "worse", "it never may, and did not before"
    elif p <= 1 - CONFIDENCE:
        verdict = "worse" if more else "better"
    else:
        why = "may be chance"
    return HarmChange(
        label=harm.label,
        harm=harm.name,
        verdict=verdict,
        regression=verdict == "worse",
        why=why,
        base=base.seen,
        base_of=base.of,
        new=new.seen,
        new_of=new.of,
        base_trials=list(base.trials),
        new_trials=list(new.trials),
    )


def _missing(harm: Harm, base: Tally | None, new: Tally | None) -> HarmChange:
    return HarmChange(
        label=harm.label,
        harm=harm.name,
        verdict="not comparable",
        regression=False,
        why=f"not measured in {'NEW' if base else 'BASE'}",
        base=base.seen if base else None,
        base_of=base.of if base else None,
        new=new.seen if new else None,
        new_of=new.of if new else None,
        base_trials=list(base.trials) if base else [],
        new_trials=list(new.trials) if new else [],
    )


def _tallies(run: Run, trials: Sequence[Trial], found: Summary) -> Mapping[Harm, Tally]:
    lacking = {subject.label: subject.lacking.keys() for subject in run.subjects}
    durability = judged(trials, "durability", DurabilityFindings)
    return {
        **dict(_failures(trials)),
        **dict(_undecided(durability)),
        **dict(_errors(found)),
        **dict(_losses(durability, lacking)),
        **dict(_races(found.races, lacking)),
        **dict(_unseen(found.sightings, lacking)),
    }


Lacking = Mapping[str, Iterable[str]]


def _failures(trials: Sequence[Trial]) -> Iterable[tuple[Harm, Tally]]:
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.label, trial.scenario), []).append(trial)
    for (label, scenario), every in groups.items():
        failed = sum(trial.status == "failed" for trial in every)
        yield (
            Harm(label, f"failed trials of {scenario}", promised=True),
            Tally(failed, len(every), [trial.id for trial in every]),
        )


def _undecided(judgements: Sequence[Judged[DurabilityFindings]]) -> Iterable[tuple[Harm, Tally]]:
    """Count trials of which it can't be told what was lost: they must not pass for none."""
    groups: dict[str, list[Judged[DurabilityFindings]]] = {}
    for one in judgements:
        groups.setdefault(one.trial.label, []).append(one)
    for label, every in groups.items():
        unknown = sum(one.findings.undecided is not None for one in every)
        yield (
            Harm(label, "undecided trials of durability", promised=True),
            Tally(unknown, len(every), [one.trial.id for one in every]),
        )


def _errors(found: Summary) -> Iterable[tuple[Harm, Tally]]:
    groups: dict[tuple[str, str, int], Tally] = {}
    for one in found.nothing_done:
        errors = sum(one.errors.values())
        groups[one.label, one.workload, one.connections] = Tally(errors, errors, one.trials)
    for cell in found.cells:
        if cell.whole:
            errors = sum(cell.errors.values())
            tally = Tally(errors, errors + cell.operations, cell.trials)
            groups[cell.label, cell.workload, cell.connections] = tally
    for (label, workload, connections), tally in groups.items():
        name = f"failed calls of {workload} @{connections}"
        yield Harm(label, name, promised=True, tolerated=TOO_MANY_ERRORS), tally


def _losses(
    judgements: Sequence[Judged[DurabilityFindings]], lacking: Lacking
) -> Iterable[tuple[Harm, Tally]]:
    groups: dict[tuple[str, str], list[tuple[str, DurabilityFindings]]] = {}
    for one in judgements:
        if one.findings.undecided is None:
            pair = one.trial.id, one.findings
            groups.setdefault((one.trial.label, one.findings.fault), []).append(pair)
    for (label, fault), every in groups.items():
        promised = fault in PROMISES and PROMISES[fault] not in lacking[label]
        for harm in HARMS:
            lost = [getattr(found, harm) for _, found in every]
            of = [_acknowledged(found, harm) for _, found in every]
            yield (
                Harm(label, f"{harm.replace('_', ' ')} on {fault}", promised),
                Tally(
                    sum(lost),
                    sum(of),
                    [trial for trial, _ in every],
                    [n / max(m, 1) for n, m in zip(lost, of, strict=True)],
                ),
            )


def _acknowledged(found: DurabilityFindings, harm: HarmName) -> int:
    match harm:
        case "lost_sessions":
            return found.acknowledged_issues
        case "resurrected_rotated":
            return found.acknowledged_rotations
        case "resurrected_revoked":
            return found.acknowledged_revocations
        case "lost_writes":
            return (
                found.acknowledged_issues
                + found.acknowledged_rotations
                + found.acknowledged_revocations
            )


def _races(races: Sequence[RaceFigures], lacking: Lacking) -> Iterable[tuple[Harm, Tally]]:
    for one in races:
        promised = "detects_reuse" not in lacking[one.label]
        yield (
            Harm(one.label, f"double spends among {one.instances} instances", promised),
            Tally(one.double_spends, one.contested, one.trials),
        )


def _unseen(sightings: Sequence[SeenAtOnce], lacking: Lacking) -> Iterable[tuple[Harm, Tally]]:
    for one in sightings:
        excused = {"shared_by_processes", EXCUSES.get(one.act)} & set(lacking[one.label])
        yield (
            Harm(one.label, f"{one.act} not seen by {one.instances} instances", not excused),
            Tally(one.looks - one.seen, one.looks, one.trials),
        )
