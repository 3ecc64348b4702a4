"""Throughput and latency in full."""

from bench.report.blocks import Material, Prose, Section
from bench.report.costs import cost_table
from bench.report.everycell import every_cell
from bench.report.noise import noise_table


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
            *([noise_table("noise", "latency", summary.noise)] if summary.noise else []),
        ],
    )
