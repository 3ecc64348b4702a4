"""For how long a replica accepts a token that was revoked."""

from bench.analysis.staleness import StalenessFigures
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table

READING = (
    "A session is logged out at the primary while another instance verifies its token through a"
    " replica, again and again. Counted is the time from the acknowledgement of the logout to the"
    " last verify that still accepted the token; one that was never refused while watched ranks"
    " after all others. All members are well and joined here; a replica"
    " that is cut off accepts for as long as it is."
)


def section(material: Material) -> Section | None:
    """Make the section, if staleness was measured."""
    every = material.summary.staleness
    if not every:
        return None
    backend = {subject.label: subject.backend for subject in material.run.subjects}
    table = Table(
        name="staleness",
        caption="Revoked, and still accepted through a replica",
        corner="Topology",
        columns=[
            Column("still accepted", "revocations"),
            Column("p50", "ms"),
            Column("p99", "ms"),
            Column("longest of those refused", "ms"),
            Column("between two looks, at most", "ms"),
            Column("never refused while watched", "revocations"),
        ],
        groups=[
            Group(
                "replica reads",
                [
                    Row(
                        material.names[one.label], _cells(one), material.colours[backend[one.label]]
                    )
                    for one in every
                ],
            )
        ],
    )
    return Section(
        "staleness",
        "What a replica still accepts",
        [*material.drawn("staleness"), Prose([READING]), table],
    )


def _cells(figures: StalenessFigures) -> list[Cell]:
    times = (figures.p50_ns, figures.p99_ns, figures.longest_ns, figures.largest_gap_ns)
    missing = Cell("never", tone="bad") if figures.never else Cell(formats.NOTHING)
    return [
        Cell(
            f"{figures.accepted:,} of {figures.revocations:,}",
            number=figures.accepted,
            tone="bad" if figures.accepted else "",
            source=formats.trials(figures.trials),
        ),
        *[missing if ns is None else Cell(formats.milliseconds(ns), ns / 1e6) for ns in times],
        Cell(f"{figures.never:,}", number=figures.never, tone="bad" if figures.never else ""),
    ]
