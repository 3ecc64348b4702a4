"""The answer first: the picture that decides, its reading, and the table."""

from bench.report import formats
from bench.report.blocks import Material, Points, Prose, Section
from bench.report.comparison import comparison
from bench.report.reading import reading

EMPTY = (
    "No trial of this run came out, so there is nothing to compare. The trials that failed are"
    " listed below, with the reason."
)


def section(material: Material) -> Section:
    """Make the section; it is there for every run."""
    words = Points("In words", reading(material.summary, material.names))
    if not material.summary.by_class():
        summary = material.summary
        if summary.balancers or summary.failovers or summary.staleness:
            return Section("answer", "What the run shows", [words])
        return Section("answer", "No figures", [Prose([EMPTY])])
    return Section(
        "answer",
        "What the run shows",
        [*material.drawn("tradeoff"), words, comparison(material)],
    )


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
