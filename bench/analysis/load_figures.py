"""From the trials of `load` to its figures: every step and the capacity of every subject."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.analysis.cost import spending
from bench.analysis.estimate import Estimate, estimate
from bench.analysis.evidence import Judged
from bench.analysis.limits import (
    client_share,
    pace_limited_because,
    saturated_because,
    shared_cores,
    started_share,
)
from bench.analysis.load import Asked, Capacity, LoadFlag, LoadStep, is_bound, unbounded
from bench.record import Run, SubjectFacts
from scenarios.histogram import Histogram, merged, percentile_ns
from scenarios.offered_load import LoadFindings, StepFindings

PERCENTILES = ("50", "90", "99", "99.9")


class _Part(NamedTuple):
    trial: str
    step: StepFindings


def load_figures(
    run: Run, found: Sequence[Judged[LoadFindings]]
) -> tuple[Sequence[LoadStep], Sequence[Capacity]]:
    """Gather the steps and the capacity of every subject, in the order of the run."""
    available = shared_cores(run, [one.trial for one in found])
    ladder_is: Asked = "rate" if run.parameters.get("load", {}).get("rates") else "share"
    steps: list[LoadStep] = []
    capacities: list[Capacity] = []
    for subject in run.subjects:
        mine = [one for one in found if one.trial.label == subject.label]
        if not mine:
            continue
        parts: dict[float | None, list[_Part]] = defaultdict(list)
        for one in mine:
            for step in one.findings.steps:
                if step.purpose == "ladder":
                    parts[step.place].append(_Part(one.trial.id, step))
                elif step.purpose == "confirm" and step.rate == one.findings.capacity:
                    parts[None].append(_Part(one.trial.id, step))
        ladder = sorted(place for place in parts if place is not None)
        steps += [_gather(available, subject, ladder_is, place, parts[place]) for place in ladder]
        if None in parts:
            steps.append(_gather(available, subject, "capacity", None, parts[None]))
        capacities.append(_capacity(available, subject, mine))
    return steps, capacities


def _gather(
    available: float | None,
    subject: SubjectFacts,
    asked: Asked,
    place: float | None,
    parts: Sequence[_Part],
) -> LoadStep:
    steps = [part.step for part in parts]
    of_each = _by_trial(parts)
    response = merged(_responses(steps))
    return LoadStep(
        label=subject.label,
        durability=subject.durability,
        connections=steps[0].connections,
        asked=asked,
        place=place,
        trials=list(of_each),
        offered=sum(step.offered for step in steps),
        ok=sum(step.ok for step in steps),
        late=sum(step.late for step in steps),
        failed=sum(step.failed for step in steps),
        dropped=sum(step.dropped for step in steps),
        in_flight=sum(step.in_flight for step in steps),
        errors=dict(sum((Counter(step.errors) for step in steps), Counter[str]())),
        rate=estimate([_rate(mine) for mine in of_each.values()]),
        started_share=started_share(steps),
        response_ns=_percentiles(response),
        service_ns=_percentiles(merged(step.service_ns for step in steps)),
        lag_ns=_percentiles(merged(step.lag_ns for step in steps)),
        pacing_ns=_percentiles(merged(step.pacing_ns for step in steps)),
        tokens_ns=_percentiles(merged(step.tokens_ns for step in steps)),
        p99_ns=_p99(of_each),
        client_share=client_share(steps),
        spent=spending(steps),
        client_rss_bytes=max(
            (step.client_rss_bytes for step in steps if step.client_rss_bytes), default=None
        ),
        server_rss_bytes=max(
            (step.server_rss_bytes for step in steps if step.server_rss_bytes), default=None
        ),
        why=_why(available, steps, len(of_each)),
    )


def _capacity(
    available: float | None, subject: SubjectFacts, mine: Sequence[Judged[LoadFindings]]
) -> Capacity:
    findings = [one.findings for one in mine]
    ends = [one.fails_at for one in findings if one.fails_at is not None]
    core = [rate for one in findings if (rate := _core(one)) is not None]
    return Capacity(
        label=subject.label,
        durability=subject.durability,
        connections=findings[0].steps[0].connections,
        trials=[one.trial.id for one in mine],
        bound_ns=findings[0].bound_ns,
        rate=estimate([one.capacity or 0.0 for one in findings]),
        carried_in=sum(one.capacity is not None for one in findings),
        fails_at=estimate(ends) if len(ends) == len(findings) else None,
        closed_rate=estimate([one.closed_rate for one in findings]),
        core=estimate(core) if len(core) == len(findings) else None,
        why=_capacity_why(available, findings),
    )


def _why(
    available: float | None, steps: Sequence[StepFindings], trials: int
) -> dict[LoadFlag, str]:
    why: dict[LoadFlag, str] = {}
    if limited := pace_limited_because(steps, available):
        why["generator-limited"] = limited
    elif saturated := saturated_because(steps):
        why["saturated"] = saturated
    if failed := sum(step.failed for step in steps):
        kinds = Counter[str]()
        for step in steps:
            kinds.update(step.errors)
        each = ", ".join(f"{kind} {times:,} times" for kind, times in sorted(kinds.items()))
        why["errors"] = f"{failed:,} of {sum(s.offered for s in steps):,} failed: {each}"
    if trials == 1:
        why["one trial"] = "one trial says nothing of the noise"
    return why


def _capacity_why(available: float | None, findings: Sequence[LoadFindings]) -> dict[LoadFlag, str]:
    """Look at what kept each trial from carrying more."""
    why: dict[LoadFlag, str] = {}
    ends = [
        [step for step in one.steps if step.rate == one.fails_at and not step.holds]
        for one in findings
    ]
    limited = [
        reason for steps in ends if steps and (reason := pace_limited_because(steps, available))
    ]
    if limited:
        why["generator-limited"] = f"at the next rate, {limited[0]}"
    carried = [(one.capacity, one.fails_at) for one in findings]
    if is_bound(carried):
        why["at least"] = (
            f"in {unbounded(carried)} of {len(findings)} trials every rate was carried"
        )
    if len(findings) == 1:
        why["one trial"] = "one trial says nothing of the noise"
    return why


def _core(findings: LoadFindings) -> float | None:
    """Give what one core could do, by the server's CPU in all steps that were carried."""
    carried = [step for step in findings.steps if step.holds]
    spent_ns = [step.server_cpu_ns for step in carried if step.server_cpu_ns]
    if not carried or len(spent_ns) < len(carried):
        return None
    return sum(step.completed for step in carried) * 1e9 / sum(spent_ns)


def _by_trial(parts: Sequence[_Part]) -> Mapping[str, Sequence[StepFindings]]:
    of_each: dict[str, list[StepFindings]] = defaultdict(list)
    for part in parts:
        of_each[part.trial].append(part.step)
    return of_each


def _rate(steps: Sequence[StepFindings]) -> float:
    return sum(step.offered for step in steps) / sum(step.seconds for step in steps)


def _responses(steps: Sequence[StepFindings]) -> Iterable[Histogram]:
    return (counts for step in steps for counts in step.response_ns.values())


def _p99(of_each: Mapping[str, Sequence[StepFindings]]) -> Estimate | None:
    each = [percentile_ns(merged(_responses(steps)), "99") for steps in of_each.values()]
    carried = [value for value in each if value is not None]
    return estimate(carried) if len(carried) == len(each) else None


def _percentiles(counts: Histogram) -> dict[str, int | None]:
    return {percent: percentile_ns(counts, percent) for percent in PERCENTILES}
