"""What sections of a report are made from, of a few trials and without pictures."""

from collections.abc import Sequence

from bench.record import SubjectFacts, Trial
from bench.report.blocks import Material
from bench.report.names import names
from bench.report.plots.palette import colours
from tests import records
from tests.summaries import summarised


def material(facts: Sequence[SubjectFacts], trials: Sequence[Trial], **run: object) -> Material:
    return Material(
        run=records.run_of(facts, trials, **run),
        summary=summarised(facts, trials, **run),
        record="run",
        names=names(facts),
        colours=colours(facts),
    )
