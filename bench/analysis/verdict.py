"""What is said of one figure of two runs."""

from typing import Literal

from bench.record import Record

Verdict = Literal["better", "worse", "tie", "not comparable"]


class Judgement(Record):
    """One figure of one subject in both runs, and what became of it."""

    label: str
    verdict: Verdict
    regression: bool
    """Worse by more than is allowed."""
    why: str
    """Of a tie, of what isn't comparable, or of a promise broken."""
    base_trials: list[str]
    new_trials: list[str]
