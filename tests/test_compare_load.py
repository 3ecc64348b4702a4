"""Comparing two runs by what they carry, open loop: capacity, and responses at the same rate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.analysis.comparing import Comparison, Recorded, compare
from bench.record import Trial
from bench.report.changes import as_markdown, headline
from scenarios.offered_load import LoadParameters
from tests import records
from tests.cli import Cli
from tests.climbs import FELL_BEHIND, loaded, step
from tests.noisy import ENVIRONMENT, latency_trials
from tests.summaries import subject

RATES = (1_000.0, 2_000.0)
CAPACITY = "load: capacity @8 throughput"
RESPONSES = ("load: 1000/s @8 p99", "load: 2000/s @8 p99")
PARAMETERS = LoadParameters(trials=8, rates=RATES).model_dump(mode="json")


def load_trials(
    slower: float = 1.0,
    *,
    seed: int = 0,
    label: str = "a:x",
    step_changed: dict[str, Any] | None = None,
    **changed: Any,
) -> list[Trial]:
    """Eight trials with 2% of noise that carry 2,000/s, at responses of 1 ms."""
    rng = np.random.default_rng([seed, len(label)])
    made = []
    for repeat in range(1, 9):
        factor = slower * rng.lognormal(0, 0.02)
        waits_us = (1_000 * factor * rng.lognormal(0, 0.2, 400)).tolist()
        waits = {"rotate": records.samples(waits_us).latency_ns}
        steps = [step(rate, response_ns=waits, **(step_changed or {})) for rate in RATES]
        made.append(loaded(label, repeat, steps, **{"capacity": 2_000.0 / factor, **changed}))
    return made


def recorded(trials: Sequence[Trial], **run: Any) -> Recorded:
    facts = [subject(label) for label in dict.fromkeys(trial.label for trial in trials)]
    parameters = {"latency": {"trials": 8}, "load": PARAMETERS}
    scenarios = {trial.scenario for trial in trials}
    described = records.run_of(
        facts,
        trials,
        **{
            "environment": dict(ENVIRONMENT),
            "parameters": {name: parameters[name] for name in sorted(scenarios)},
            **run,
        },
    )
    return Recorded("run", described, trials)


def judged(base: Recorded, new: Recorded, **other: Any) -> Comparison:
    return compare(base, new, threshold=0.05, **other)


def verdicts(found: Comparison) -> dict[str, str]:
    """Name each figure of load as the output does."""
    return {
        f"load: {one.workload} @{one.connections} {one.metric}": one.verdict
        for one in found.changes
        if one.scenario == "load"
    }


def why(found: Comparison, metric: str) -> str:
    [one] = {one.why for one in found.changes if one.metric == metric}
    return one


def test_an_injected_slowdown_is_found_in_capacity_and_response() -> None:
    """Less is carried, and what is carried takes longer: both regressions, with their ratio."""
    found = judged(recorded(load_trials()), recorded(load_trials(1.1, seed=1)))
    assert verdicts(found) == dict.fromkeys((CAPACITY, *RESPONSES), "worse")
    assert found.regressed
    for one in found.changes:
        expected = 1 / 1.1 if one.metric == "throughput" else 1.1
        assert one.ratio == pytest.approx(expected, rel=0.04)
        assert len(one.base_trials) == len(one.new_trials) == 8
    text = as_markdown(found)
    assert all(name in text for name in (CAPACITY, *RESPONSES))
    assert "load/open-loop/a:x/{1,2,3,4,5,6,7,8}" in text


def test_the_same_code_ties() -> None:
    """Whatever trials say by chance."""
    found = judged(recorded(load_trials()), recorded(load_trials(seed=1)))
    assert verdicts(found) == dict.fromkeys((CAPACITY, *RESPONSES), "tie")
    assert not found.regressed
    assert "0 worse, 0 better" in headline(found)


def test_a_change_inside_the_noise_of_the_control_ties() -> None:
    """The control of NEW carries 20% less than its twin, so 10% means nothing."""
    facts = [subject("a:x"), subject("a:x (again)", spec="a:x", control=True)]
    sides = [
        recorded(
            [
                *load_trials(slower, seed=seed),
                *load_trials(slower * apart, seed=seed, label="a:x (again)"),
            ],
            subjects=facts,
        )
        for slower, seed, apart in ((1.0, 0, 1.0), (1.1, 1, 1.2))
    ]
    found = judged(*sides)
    assert verdicts(found) == dict.fromkeys((CAPACITY, *RESPONSES), "tie")
    assert "noise of the A/A control" in why(found, "throughput")


def test_latency_and_load_are_one_family() -> None:
    """All that is judged is counted; each scenario's trials are dealt out by themselves."""
    base = recorded([*latency_trials(), *load_trials()])
    new = recorded([*latency_trials(seed=1), *load_trials(1.1, seed=1)])
    found = judged(base, new)
    assert found.judged == 6
    assert {one.verdict for one in found.changes if one.scenario == "latency"} == {"tie"}
    assert set(verdicts(found).values()) == {"worse"}


def test_a_small_change_is_less_sure_among_more_figures() -> None:
    """Figures of latency are in the family of those of load."""
    base, new = load_trials(), load_trials(1.02, seed=1)
    alone = judged(recorded(base), recorded(new))
    among = judged(recorded([*latency_trials(), *base]), recorded([*latency_trials(seed=1), *new]))
    [sure], [less_sure] = (
        [one.p for one in found.changes if one.workload == "capacity"] for found in (alone, among)
    )
    assert sure is not None
    assert less_sure is not None
    assert sure < less_sure


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"client_cpu_ns": 195 * 10**7}, "generator-limited"),
        ({**FELL_BEHIND, "offered": 3_000, "busy_ns": 79 * 10**8}, "saturated"),
    ],
)
def test_a_limited_step_is_not_judged(changed: dict[str, Any], flag: str) -> None:
    """However large the difference; it says which run, and why."""
    spoilt = load_trials(2.0, seed=1, step_changed=changed)
    found = judged(recorded(load_trials()), recorded(spoilt))
    assert {verdicts(found)[name] for name in RESPONSES} == {"not comparable"}
    assert why(found, "p99").startswith(f"in NEW: {flag}, ")


def test_a_capacity_that_the_generator_ended_is_not_judged() -> None:
    """The step that wasn't carried wasn't offered as it says."""
    trials = []
    for one in load_trials(2.0, seed=1):
        behind: dict[str, Any] = {**FELL_BEHIND, "busy_ns": 10**9}
        ended = step(3_000, **behind).model_dump(mode="json")
        steps = [*one.findings["steps"], ended]
        trials.append(one.model_copy(update={"findings": {**one.findings, "steps": steps}}))
    found = judged(recorded(load_trials()), recorded(trials))
    assert verdicts(found)[CAPACITY] == "not comparable"
    assert why(found, "throughput").startswith("in NEW: generator-limited, at the next rate")


def test_shares_of_a_closed_loop_are_no_load_in_common() -> None:
    """Capacity is judged; responses say why they aren't, and what to set."""
    asked = {"load": {**PARAMETERS, "rates": ()}}
    sides = [
        recorded(load_trials(slower, seed=seed), parameters=asked)
        for slower, seed in ((1.0, 0), (1.1, 1))
    ]
    found = judged(*sides)
    assert verdicts(found)[CAPACITY] == "worse"
    assert "set load.rates" in why(found, "p99")


def test_another_load_leaves_latency_comparable() -> None:
    """A parameter of one scenario says nothing of the other."""
    other = {"latency": {"trials": 8}, "load": {**PARAMETERS, "connections": 4}}
    base = recorded([*latency_trials(), *load_trials()])
    new = recorded([*latency_trials(1.2, seed=1), *load_trials(seed=1)], parameters=other)
    found = judged(base, new)
    assert set(verdicts(found).values()) == {"not comparable"}
    assert {one.verdict for one in found.changes if one.scenario == "latency"} == {"worse"}
    assert found.differences == ["load.connections was 8, is 4"]


@pytest.mark.parametrize(
    ("base", "new", "verdict"),
    [
        ({"fails_at": None}, {}, "worse"),
        ({}, {"fails_at": None}, "tie"),
    ],
)
def test_what_was_carried_at_least(base: dict[str, Any], new: dict[str, Any], verdict: str) -> None:
    """Less than what carried all it was offered is less; less offered and carried is not."""
    found = judged(recorded(load_trials(**base)), recorded(load_trials(1.2, seed=1, **new)))
    assert verdicts(found)[CAPACITY] == verdict
    if verdict == "tie":
        assert "NEW carried every rate in most of its trials" in why(found, "throughput")


def test_one_trial_without_an_end_hides_no_regression() -> None:
    """It may have carried more; the others say what they carried, and it is less."""
    base, new = load_trials(), load_trials(2.0, seed=1)
    [first] = load_trials(2.0, seed=1, fails_at=None)[:1]
    found = judged(recorded(base), recorded([first, *new[1:]]))
    assert verdicts(found)[CAPACITY] == "worse"
    half = [*load_trials(2.0, seed=1, fails_at=None)[:4], *new[4:]]
    assert verdicts(judged(recorded(base), recorded(half)))[CAPACITY] == "tie"


def test_a_store_that_carries_nothing_any_more_is_worse() -> None:
    """A capacity of none is a figure, not a gap in the table."""
    found = judged(recorded(load_trials()), recorded(load_trials(seed=1, capacity=None)))
    assert verdicts(found)[CAPACITY] == "worse"
    back = judged(recorded(load_trials(seed=1, capacity=None)), recorded(load_trials()))
    assert verdicts(back)[CAPACITY] == "better"


def test_a_slower_machine_carries_less_of_everything() -> None:
    """Relative to a store that did not change, nothing changed; one that lacks load says so."""
    before, after = (
        [*load_trials(slower, seed=seed), *load_trials(slower, seed=seed + 5, label="control")]
        for slower, seed in ((1.0, 0), (1.3, 1))
    )
    plain = judged(recorded(before), recorded(after))
    assert set(verdicts(plain).values()) == {"worse"}
    relative = judged(recorded(before), recorded(after), relative_to="control")
    assert set(verdicts(relative).values()) == {"tie"}
    unloaded = [
        recorded([*load_trials(seed=seed), *latency_trials(label="control", seed=seed)])
        for seed in (0, 1)
    ]
    lacking = judged(*unloaded, relative_to="control")
    assert why(lacking, "throughput") == "control: not measured so in BASE"


def test_a_gate_fails_on_a_store_that_carries_less(cli: Cli, tmp_path: Path) -> None:
    """Exit code 1, with the figures by name."""
    for name, trials in (("before", load_trials()), ("after", load_trials(1.2, seed=1))):
        run = recorded(trials)
        records.write(tmp_path / "results" / name, run.run, run.trials)
    said = cli("compare", "before", "after")
    assert said.code == 1
    assert CAPACITY in said.out
    assert "regression: 3 worse" in said.out


def test_a_gate_that_finds_everything_limited_passes_nothing(cli: Cli, tmp_path: Path) -> None:
    """Exit code 2; the reasons are beside the figures."""
    limited = {"client_cpu_ns": 195 * 10**7, "holds": False}
    for name, seed in (("before", 0), ("after", 1)):
        run = recorded(load_trials(seed=seed, step_changed=limited, fails_at=RATES[1]))
        records.write(tmp_path / "results" / name, run.run, run.trials)
    said = cli("compare", "before", "after")
    assert said.code == 2
    assert said.err.splitlines()[-1].endswith("can be compared: each figure says why")
    assert "in BASE: generator-limited" in said.err
