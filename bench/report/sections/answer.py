"""The answer first: the picture that decides, its reading, and the table."""

from bench.report import formats
from bench.report.blocks import Block, Material, Points, Prose, Section
from bench.report.comparison import comparison
from bench.report.reading import reading

EMPTY = (
    "No trial of this run came out, so there is nothing to compare. The trials that failed are"
    " listed below, with the reason."
)


def section(material: Material) -> Section | None:
    """Make the section; None where what was measured has its place in other sections alone."""
    points = reading(material.summary, material.names)
    table = comparison(material)
    blocks: list[Block] = [
        *material.drawn("tradeoff"),
        *([Points("In words", points)] if points else []),
        *([table] if table else []),
    ]
    if blocks:
        return Section("answer", "What the run shows", blocks)
    if material.summary.by_class():
        return None
    return Section("answer", "No figures", [Prose([EMPTY])])


def status(material: Material) -> str:
    """Say in one line how much of the plan came out."""
    summary = material.summary
    parts = [f"{summary.finished:,} of {formats.count(summary.planned, 'planned trial')} came out"]
    if summary.failed:
        parts.append(f"{len(summary.failed):,} failed")
    if summary.skipped:
        parts.append(f"{len(summary.skipped):,} skipped")
    if summary.spared:
        parts.append(f"{summary.spared:,} more not needed or not afforded")
    if missing := summary.planned - summary.finished - len(summary.failed):
        parts.append(f"{missing:,} not run yet (go on with --resume)")
    return ", ".join(parts)
