"""Throughput and latency in full."""

from bench.analysis.ranking import METRICS
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Material, Prose, Row, Section, Table
from bench.report.costs import cost_table
from bench.report.everycell import every_cell


def section(material: Material) -> Section | None:
    """Make the section, if latency was measured."""
    summary = material.summary
    if not summary.cells and not summary.nothing_done:
        return None
    nothing = [
        f"{cell.label}, {cell.workload}/{cell.operation} @{cell.connections}: every call failed"
        f" ({', '.join(f'{kind} {n:,} times' for kind, n in sorted(cell.errors.items()))})"
        for cell in summary.nothing_done
    ]
    return Section(
        "speed",
        "Throughput and latency",
        [
            *material.drawn("throughput", "latency", "distribution"),
            *([Prose(nothing, bullets=True, heading="Cells without figures")] if nothing else []),
            *([cost_table(material)] if summary.cells else []),
            *([every_cell(material)] if summary.cells else []),
            *([_noise(material)] if summary.noise else []),
        ],
    )


def _noise(material: Material) -> Table:
    summary = material.summary
    at = {(n.workload, n.operation, n.connections, n.metric): n.gap for n in summary.noise}
    keys = dict.fromkeys((n.workload, n.operation, n.connections) for n in summary.noise)
    rows = []
    for workload, operation, connections in keys:
        gaps = [at.get((workload, operation, connections, metric)) for metric in METRICS]
        name = workload if workload == operation else f"{workload}/{operation}"
        rows.append(
            Row(
                f"{name} @{connections}",
                [
                    Cell(formats.NOTHING) if gap is None else Cell(formats.percent(gap), gap * 100)
                    for gap in gaps
                ],
            )
        )
    pair = " and ".join(summary.noise[0].labels)
    return Table(
        name="noise",
        caption=f"Noise: the gap between {pair}, the same subject run twice",
        corner="Workload @connections",
        columns=[Column(metric, "%") for metric in METRICS],
        groups=[Group("A/A control", rows)],
        legend=["A gap between two subjects that is no larger than this prints “tie”."],
        folded=True,
    )
