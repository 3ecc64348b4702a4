"""From the lines of `trials.jsonl` to findings of a known shape, or one clear line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from bench.errors import Failed
from bench.record import Run, Trial

F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Judged(Generic[F]):
    """A trial that came out well, and what its scenario's judge found."""

    trial: Trial
    findings: F


def judged(trials: Sequence[Trial], scenario: str, model: type[F]) -> Sequence[Judged[F]]:
    """Read the findings of a scenario's finished trials. Raises Failed: damaged."""
    return [
        Judged(trial, _findings(trial, model))
        for trial in trials
        if trial.scenario == scenario and trial.status == "ok"
    ]


def check(run: Run, trials: Sequence[Trial]) -> None:
    """Refuse records that contradict themselves. Raises Failed."""
    labels = {subject.label for subject in run.subjects}
    seen: set[str] = set()
    for trial in trials:
        if trial.label not in labels:
            raise Failed(f"trial {trial.id} is of {trial.label!r}, which run.json doesn't name")
        if trial.id in seen:
            raise Failed(f"trial {trial.id} is recorded twice; remove one of its lines")
        seen.add(trial.id)


def _findings(trial: Trial, model: type[F]) -> F:
    try:
        return model.model_validate(trial.findings)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise Failed(
            f"the findings of trial {trial.id} are damaged: {where}: {problem['msg']};"
            " remove its line from trials.jsonl and go on with --resume"
        ) from error
