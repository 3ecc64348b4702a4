"""The picture of losses: what was kept, what was not, and what was never seen to be losable."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from bench.analysis import summary
from bench.record import Trial
from bench.report.names import names
from bench.report.plots import losses, races
from bench.report.plots.palette import HARM, KEPT, UNPROVEN, looks
from bench.report.plots.scene import Plot, Scene
from scenarios.durability import DurabilityFindings
from tests import records

LOSES, KEEPS = "redis:aof-everysec", "redis:aof-always"


def trials(shares: Mapping[str, Mapping[str, float]], **other: int) -> Sequence[Trial]:
    """Give a trial for each share lost: label -> fault -> share."""
    rng = np.random.default_rng(1)
    return [
        records.trial(label, "durability", fault, 0, found.model_copy(update=other))
        for label, faults in shares.items()
        for fault, share in faults.items()
        if isinstance(found := records.lost(fault, 500, share, rng), DurabilityFindings)
    ]


def drawn(found: Sequence[Trial]) -> tuple[Plot, list[str], list[Rectangle]]:
    """Draw them; give the plot, its words and its cells."""
    facts = [one for one in records.subjects() if one.label in {LOSES, KEEPS}]
    seen = summary(records.run_of(facts, found), found)
    plot = losses.draw(Scene(seen, looks(seen.subjects, names(seen.subjects)), "conditions"))
    assert plot is not None
    [axes] = plot.figure.axes
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    # The bands of the classes reach from edge to edge.
    cells = [cell for cell in cells if cell.get_width() < 1 and cell.get_x() > 0]
    return plot, [text.get_text() for text in axes.texts], cells


def test_a_zero_that_nobody_controls_is_hatched() -> None:
    """It has the colour of what was kept; where somebody lost something there is no hatch."""
    _, _, cells = drawn(
        trials({LOSES: {"crash": 0.1, "restart": 0}, KEEPS: {"crash": 0, "restart": 0}})
    )
    kept = [cell for cell in cells if cell.get_facecolor() == to_rgba(KEPT)]
    assert len(kept) == 3
    assert sorted(str(cell.get_hatch()) for cell in kept) == [UNPROVEN, UNPROVEN, "None"]


def test_what_was_not_measured_has_no_cell() -> None:
    """No shade of one could be told from a result; it has its words."""
    _, words, cells = drawn(trials({LOSES: {"crash": 0.1, "restart": 0}, KEEPS: {"crash": 0}}))
    assert len(cells) == 3
    assert "not measured" in words


def test_of_all_that_was_lost_nothing_came_back() -> None:
    """Neither a window, which is the trial's own length, nor a count of what is good again."""
    _, words, _ = drawn(trials({LOSES: {"crash": 1}}))
    assert "all of 500" in words
    assert not any("back" in word or " s" in word for word in words if "500" in word)
    # Unless it did, from before the load.
    _, words, _ = drawn(trials({LOSES: {"crash": 1}}, resurrected_rotated=7))
    assert "all of 500\n7 back" in words


def test_a_window_has_two_digits() -> None:
    """One crash or a few carry no third."""
    _, words, _ = drawn(trials({LOSES: {"crash": 0.1}}, loss_window_ns=46_411_000))
    assert "50 of 500\n0.046 s, 40 back" in words


def test_races_and_losses_have_one_colour_for_one_meaning() -> None:
    """Blue for none lost, hatched where that proves nothing, one red for the most."""
    run, found = records.example()
    seen = summary(run, found)
    scene = Scene(seen, looks(seen.subjects, names(seen.subjects)), "conditions")
    shown = []
    for plot in (losses.draw(scene), races.draw(scene)):
        assert plot is not None
        [legend] = plot.figure.legends
        swatches = [patch for patch in legend.get_patches() if isinstance(patch, Rectangle)]
        shown.append(
            {str(one.get_label()): (one.get_facecolor(), one.get_hatch()) for one in swatches}
        )
    ours, theirs = shown
    for words in ("none lost", "none lost, uncontrolled"):
        assert ours[words] == theirs[words]
    assert ours["all lost"] == theirs["half or more"]
    assert ours["all lost"][0] == HARM(1.0)
