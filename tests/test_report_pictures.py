"""The pictures of a report: sharp, complete in themselves, legible."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from matplotlib.image import imread

from bench.analysis import summary
from bench.report.names import names
from bench.report.plots import canvas, tradeoff
from bench.report.plots.palette import COLOURS, LINES, MARKERS, looks
from bench.report.plots.scene import Scene
from scenarios.latency import LatencyFindings
from tests import records
from tests.pages import PICTURES, rendered


@pytest.mark.parametrize("name", PICTURES)
def test_png_is_twice_the_size_and_not_blank(example_report: Path, name: str) -> None:
    """Legible on a sharp screen: 1920 pixels for a picture shown at 960."""
    image = imread(example_report / "plots" / f"{name}.png")
    assert image.shape[1] == 1920
    assert image.std() > 0.02


@pytest.mark.parametrize("name", PICTURES)
def test_conditions_and_sizes_are_inside(example_report: Path, name: str) -> None:
    """A picture that is passed on alone still says what it shows, of what, and how much."""
    root = ET.parse(example_report / "plots" / f"{name}.svg").getroot()
    text = " ".join(" ".join(root.itertext()).split())
    for words in ("quick effort", "2026-03-14", "2 cores", "redis 8.2.3", "seed 20260314"):
        assert words in text
    assert re.search(r"[\d,]+ (operations|acknowledged writes|contested races)", text)
    assert re.search(r"ms \(log\)|operations/s|counts acknowledged writes|of those contested", text)


@pytest.mark.parametrize("name", PICTURES)
def test_classes_are_named_in_every_picture(example_report: Path, name: str) -> None:
    """No picture compares across durability classes without saying so."""
    root = ET.parse(example_report / "plots" / f"{name}.svg").getroot()
    text = " ".join(root.itertext())
    assert "declared to survive a power cut" in text
    assert "declared to keep nothing" in text


def test_labels_do_not_overlap() -> None:
    """Names of rows, and the figures beside points, keep clear of each other."""
    run, trials = records.example()
    found = summary(run, trials)
    with canvas.style():
        scene = Scene(found, looks(found.subjects, names(found.subjects)), "conditions")
        plot = tradeoff.draw(scene)
        assert plot is not None
        plot.figure.canvas.draw()
        boxes = [
            text.get_window_extent()
            for axes in plot.figure.axes
            for text in [*axes.texts, *axes.get_yticklabels()]
            if text.get_text()
        ]
    crossing = [
        (one, other)
        for number, one in enumerate(boxes)
        for other in boxes[number + 1 :]
        if one.overlaps(other)
    ]
    assert not crossing


def test_the_figure_behind_the_longest_bar_stays_inside() -> None:
    """However many decades the axis has: beyond it stand the losses."""
    facts = records.subjects(records.SHAPES[1:3])
    trials = [
        records.trial(fact.label, "latency", "closed-loop", n, LatencyFindings(cells=[cell]))
        for fact, each in zip(facts, ((8.0, 8.0), (4_000.0, 33_000.0)), strict=False)
        for n, us in enumerate(each)
        for cell in [records.cell("rotate", 8, {"rotate": records.samples([us] * 300)})]
    ]
    found = summary(records.run_of(facts, trials), trials)
    with canvas.style():
        plot = tradeoff.draw(Scene(found, looks(found.subjects, names(found.subjects)), ""))
        assert plot is not None
        # Beside five more columns, which leave the axes narrow.
        plot.figure.axes[0].set_position((0.2, 0.2, 0.37, 0.7))
        plot.figure.set_layout_engine("none")
        plot.figure.canvas.draw()
        main = plot.figure.axes[0]
        right = main.get_window_extent().x1
        assert main.texts
        assert all(text.get_window_extent().x1 < right for text in main.texts)


def test_too_few_rotations_are_not_drawn_as_a_p99(tmp_path: Path) -> None:
    """The row says why it is empty; the slowest of 60 is no p99."""
    few = records.cell("rotate", 8, {"rotate": records.samples([500.0] * 30)})
    many = records.cell("rotate", 8, {"rotate": records.samples([500.0] * 300)})
    facts = records.subjects(records.SHAPES[1:3])
    trials = [
        records.trial(fact.label, "latency", "closed-loop", n, LatencyFindings(cells=[cell]))
        for fact, cell in zip(facts, (few, many), strict=False)
        for n in range(2)
    ]
    out = rendered(tmp_path, records.run_of(facts, trials), trials).parent
    text = " ".join(ET.parse(out / "plots" / "tradeoff.svg").getroot().itertext())
    assert "60 rotations: too few for a p99" in text


def test_one_colour_a_store() -> None:
    """A backend's profiles share the hue and differ in marker and line; backends differ."""
    run, _ = records.example()
    drawn = looks(run.subjects, names(run.subjects))
    assert len(set(COLOURS.values())) == len(COLOURS)
    redis = [drawn[label] for label in drawn if label.startswith("redis:")]
    assert len({look.marker for look in redis}) == len(redis) <= len(MARKERS)
    assert len({str(look.line) for look in redis[:4]}) == len(LINES)
    assert drawn["redis:none"].colour == COLOURS["redis"].lower()


def test_what_no_font_can_draw_becomes_a_box() -> None:
    """Rather than a warning, which would end a run."""
    assert canvas.printable("plain µs ≤ –") == "plain µs ≤ –"
    assert canvas.printable("\U0001fae0\U000e0100") == "□□"
