"""What noise alone does: the gaps of the A/A control."""

from collections.abc import Sequence

from bench.analysis.latency import METRICS
from bench.analysis.ranking import Noise
from bench.report import formats
from bench.report.blocks import Cell, Column, Group, Row, Table


def noise_table(table: str, scenario: str, found: Sequence[Noise]) -> Table:
    """Make the table of the gap in each figure that has one; at least one has."""
    at = {(n.workload, n.operation, n.connections, n.metric): n.gap for n in found}
    metrics = [metric for metric in METRICS if any(n.metric == metric for n in found)]
    keys = dict.fromkeys((n.workload, n.operation, n.connections) for n in found)
    rows = []
    for workload, operation, connections in keys:
        gaps = [at.get((workload, operation, connections, metric)) for metric in metrics]
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
    pair = " and ".join(found[0].labels)
    return Table(
        name=table,
        caption=f"Noise of {scenario}: the gap between {pair}, the same subject run twice",
        corner="Workload @connections",
        columns=[Column(metric, "%") for metric in metrics],
        groups=[Group("A/A control", rows)],
        legend=["A gap between two subjects that is no larger than this prints “tie”."],
        folded=True,
    )
