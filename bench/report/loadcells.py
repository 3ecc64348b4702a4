"""Table cells of the open loop: percentiles of a step, and the capacity with its bracket."""

from backends.store import Durability
from bench.analysis import Summary
from bench.analysis.load import Capacity, LoadStep
from bench.record import SubjectFacts
from bench.report import formats
from bench.report.blocks import Cell
from bench.report.cells import HELD, NOT_MEASURED, placed
from bench.report.formats import NOTHING

LIMITED = "generator-limited: what was offered was not what it says, so it is not ranked: {why}."
AT_LEAST = "at least: every rate that was tried was carried; a longer search would go higher."


def carried_cell(summary: Summary, subject: SubjectFacts) -> Cell:
    """Write the highest rate that a subject carried, or why there is none."""
    if subject.durability == Durability.CLIENT:
        return HELD
    capacity = summary.capacity(subject.label)
    return NOT_MEASURED if capacity is None else capacity_cell(capacity)


def capacity_cell(capacity: Capacity) -> Cell:
    """Write the highest rate that was carried, in operations a second."""
    source = formats.trials(capacity.trials)
    if not capacity.carried_in:
        why = (
            f"No rate that was tried kept its p99 within {_bound(capacity)} with nothing failed"
            " or left over."
        )
        return Cell("none", number=0, tone="bad", notes=(why,), source=source)
    marks, notes = [], []
    if limited := capacity.why.get("generator-limited"):
        marks.append("generator-limited")
        notes.append(LIMITED.format(why=limited))
    if "at least" in capacity.why:
        marks.append("at least")
        notes.append(AT_LEAST)
    if "one trial" in capacity.why:
        marks.append("one trial")
    detail = formats.interval(capacity.rate, 1)
    if capacity.carried_in < len(capacity.trials):
        detail += f" carried in {capacity.carried_in} of {len(capacity.trials)}"
    plain = Cell(
        formats.significant(capacity.rate.value),
        number=capacity.rate.value,
        detail=detail.strip(),
        marks=tuple(marks),
        tone="limited" if "generator-limited" in capacity.why else "",
        notes=tuple(notes),
        source=source,
    )
    return placed(plain, capacity.ranks.get("throughput"))


def step_cell(step: LoadStep, percentiles: dict[str, int | None], percent: str) -> Cell:
    """Write one percentile of a step in ms."""
    value = percentiles[percent]
    if value is None:
        return Cell(NOTHING, tone="none", source=source(step))
    return Cell(
        formats.milliseconds(value),
        number=value / 1e6,
        tone="" if step.sound else "limited",
        source=source(step),
    )


def state_cell(step: LoadStep) -> Cell:
    """Write what must be known of a step."""
    marks = tuple(flag for flag in step.why if flag != "one trial")
    notes = []
    if limited := step.why.get("generator-limited"):
        notes.append(LIMITED.format(why=limited))
    if saturated := step.why.get("saturated"):
        notes.append(f"saturated: the store fell behind what was offered: {saturated}.")
    if errors := step.why.get("errors"):
        notes.append(f"errors: {errors}.")
    text = "sound" if step.sound else "not ranked"
    return Cell(text, marks=marks, tone="" if step.sound else "limited", notes=tuple(notes))


def source(step: LoadStep) -> str:
    """Say what a step's figures come from."""
    return f"{formats.count(step.offered, 'operation')}: {formats.trials(step.trials)}"


def _bound(capacity: Capacity) -> str:
    return f"{formats.milliseconds(capacity.bound_ns)} ms"
