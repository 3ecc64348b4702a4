"""What is limited looks limited: markers, strokes, captions and the words for who can't see."""

from collections.abc import Sequence

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.analysis import Summary, summary
from bench.record import Trial
from bench.report.names import names
from bench.report.plots import distribution, latency, throughput, tradeoff
from bench.report.plots.palette import looks
from bench.report.plots.scene import Draw, Plot, Scene
from scenarios.latency import Cell, LatencyFindings
from tests import records

FREE, LIMITED, FAILING = "postgres:sync", "files:fsync", "redis:aof-always"


def found() -> Summary:
    """Give three stores of one class: one ranked, one limited, one whose calls fail."""
    facts = [one for one in records.subjects() if one.label in {FREE, LIMITED, FAILING}]
    trials: Sequence[Trial] = [
        records.trial(
            fact.label, "latency", "closed-loop", n, LatencyFindings(cells=[_cell(fact.label)])
        )
        for fact in facts
        for n in range(2)
    ]
    return summary(records.run_of(facts, trials), trials)


def _cell(label: str) -> Cell:
    samples = records.samples([500.0] * 300)
    if label == FAILING:
        samples = samples.model_copy(update={"errors": {"timeout": 200}})
    busy = {"client_cpu_ns": 99_000_000} if label == LIMITED else {}
    return records.cell("rotate", 8, {"rotate": samples}, **busy)


def plotted(draw: Draw) -> Plot:
    seen = found()
    plot = draw(Scene(seen, looks(seen.subjects, names(seen.subjects)), "conditions"))
    assert plot is not None
    return plot


def markers(figure: Figure) -> dict[str, tuple[object, object]]:
    """Give colour -> how its marker is filled."""
    points = [
        line
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 1 and line.get_marker() != "_"  # type: ignore[arg-type]
    ]
    return {
        str(line.get_color()): (line.get_markerfacecolor(), line.get_fillstyle()) for line in points
    }


@pytest.mark.parametrize("draw", [tradeoff.draw, latency.draw, throughput.draw])
def test_hollow_is_kept_for_the_load_generator(draw: Draw) -> None:
    """Any other reason shows half a marker, and the caption and the alt text name both."""
    plot = plotted(draw)
    colours = {
        label: look.colour
        for label, look in looks(found().subjects, names(found().subjects)).items()
    }
    filled = markers(plot.figure)
    assert filled[colours[FREE]] == (colours[FREE], "full")
    assert filled[colours[LIMITED]] == ("white", "full")
    assert filled[colours[FAILING]] == (colours[FAILING], "bottom")
    caption = " ".join(plot.figure.texts[-1].get_text().split())
    assert "Hollow: limited, which means that the load generator was the limit" in caption
    assert "Half filled: not ranked since too many calls failed." in caption
    assert "imited" in plot.alt.partition(LIMITED)[0] + plot.alt.partition(LIMITED)[2]


def test_alt_texts_name_who_was_limited_and_where() -> None:
    """The words stand for the markers."""
    alt = plotted(latency.draw).alt
    assert f"Limited by the load generator, so not ranked: {LIMITED} (rotate at 8)." in alt
    assert f"Not ranked for another reason: {FAILING} (rotate at 8)." in alt
    assert f"{LIMITED} 0.501 ms limited" in plotted(tradeoff.draw).alt


def test_the_legend_of_latencies_has_no_lines() -> None:
    """The picture has none; that of throughput has."""
    for draw, drawn in ((latency.draw, False), (throughput.draw, True)):
        legend = plotted(draw).figure.axes[-1].get_legend()
        assert legend is not None
        lines = [line for line in legend.get_lines() if isinstance(line, Line2D)]
        assert lines
        assert all((line.get_linestyle() != "None") == drawn for line in lines)


def test_a_limited_distribution_is_thin_and_says_so() -> None:
    """It can't be taken for a ranked one."""
    plot = plotted(distribution.draw)
    width = {str(line.get_label()): line.get_linewidth() for line in plot.figure.axes[0].lines}
    assert width[f"{LIMITED}, limited"] < width[FREE]
    assert f"Limited by the load generator: {LIMITED}." in plot.alt


def test_like_hues_of_one_class_differ_in_dash_and_marker() -> None:
    """PostgreSQL and its mapper are two blues; SQLite, files and Redis are near in hue, too."""
    subjects = records.subjects()
    drawn = looks(subjects, names(subjects))
    for group in (
        ("postgres:sync", "postgres-sqlalchemy:sync", "mongo:journaled"),
        ("files:fsync", "sqlite:wal-full", "redis:aof-always"),
    ):
        assert len({str(drawn[label].line) for label in group}) == len(group)
        assert len({drawn[label].marker for label in group}) == len(group)
