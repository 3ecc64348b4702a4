"""The cost beside every figure: per operation, or the reason why there is none."""

from typing import Any

import pytest

from bench import report
from bench.analysis import Summary, summary
from bench.analysis.cost import NOT_KEPT
from bench.report.blocks import Material
from bench.report.costs import cost_table
from bench.report.figures import frame
from scenarios.cost import NETWORK, Cost, added
from scenarios.latency import Cell, LatencyFindings
from tests import records
from tests.summaries import subject

SERVED = Cost(written_bytes=8_000, fsyncs=40, sent_bytes=30_000, received_bytes=6_000, missing={})
INSIDE = Cost(
    written_bytes=8_000,
    fsyncs=None,
    sent_bytes=None,
    received_bytes=None,
    missing={"fsyncs": "nobody may count them", **dict.fromkeys(NETWORK, "no connection")},
)


def found(cost: Cost | None, **other: Any) -> Summary:
    """One subject, three trials of 100 rotations at 8 connections, all with this cost."""
    cell = records.cell("rotate", 8, {"rotate": records.samples([50.0] * 100)}, cost=cost, **other)
    findings = LatencyFindings(cells=[cell])
    trials = [records.trial("a:x", "latency", "closed-loop", n, findings) for n in range(3)]
    return summary(records.run_of([subject("a:x")], trials), trials)


def test_processes_add_up_and_what_one_cannot_tell_nobody_knows() -> None:
    """A sum of parts of which one is unknown would be too small, and look like a figure."""
    assert added([SERVED, SERVED]).fsyncs == 80
    both = added([SERVED, INSIDE])
    assert both.written_bytes == 16_000
    assert both.fsyncs is None
    assert both.missing["fsyncs"] == "nobody may count them"


def test_costs_are_given_per_operation() -> None:
    """Totals of a cell over the operations that ended as expected."""
    [cell] = found(SERVED).cells
    assert cell.cost is not None
    values = {name: figure.value for name, figure in cell.cost.per_operation.items()}
    assert values == {
        "written_bytes": pytest.approx(80),
        "fsyncs": pytest.approx(0.4),
        "sent_bytes": pytest.approx(300),
        "received_bytes": pytest.approx(60),
    }
    assert cell.cost.missing == {}


def test_a_missing_figure_prints_its_reason_everywhere() -> None:
    """In the page's table as a footnote, and in figures.csv beside the figure that isn't there."""
    summarised = found(INSIDE)
    data = frame(summarised).set_index("figure")
    assert data.loc["fsyncs per operation", "missing"] == "nobody may count them"
    assert data.loc["written per operation", "value"] == pytest.approx(80)
    material = Material(
        run=records.run_of([subject("a:x")], []),
        summary=summarised,
        record="",
        names={"a:x": "a:x"},
        colours={"a": "#000000"},
    )
    notes = cost_table(material).notes
    assert any("No fsyncs: nobody may count them." in note for note in notes)
    assert any("No sent: no connection." in note for note in notes)


def test_a_record_of_before_costs_were_kept_is_read() -> None:
    """Its cells have no cost, and the report says why."""
    old = {k: v for k, v in records.cell("rotate", 8, {}).model_dump().items() if k != "cost"}
    assert Cell.model_validate(old).cost is None
    summarised = found(None)
    [cell] = summarised.cells
    assert cell.cost is not None
    assert set(cell.cost.missing.values()) == {NOT_KEPT}
    assert report.short_table(summarised).rows
