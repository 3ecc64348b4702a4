"""The section on several instances, with a naive way as the control."""

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import summary
from bench.report.names import names
from bench.report.plots import races
from bench.report.plots.palette import looks
from bench.report.plots.scene import Scene
from scenarios.consistency import ConsistencyFindings, Races
from tests import records
from tests.pages import Page, rendered

pytestmark = pytest.mark.usefixtures("undrawn")


def plain(winners: int) -> Races:
    return Races(instances=4, rounds=60, contested=59, winners={winners: 59}, outcomes={})


def met(contest: str, **other: Any) -> Races:
    known = {"rounds": 60, "contested": 59, "winners": {}, "outcomes": {}}
    return Races(instances=4, contest=contest, **{**known, **other})


def raced(tmp_path: Path, mine: Races, naive: Races) -> Page:
    facts = records.subjects([records.Shape("redis:none", records.CRASH, 40)])[:1]
    facts.append(
        facts[0].model_copy(
            update={"label": "redis-naive:none", "backend": "redis-naive", "naive": True}
        )
    )
    trials = [
        records.trial(
            fact.label,
            "consistency",
            "instances",
            0,
            ConsistencyFindings(visibility=[], races=found, errors={}),
        )
        for fact, found in zip(facts, ([plain(1), mine], [plain(2), naive]), strict=True)
    ]
    return Page(rendered(tmp_path, records.run_of(facts, trials), trials).read_text("utf-8"))


def test_large_numbers_stay_inside_their_cells() -> None:
    """Four numbers of instances and three mishaps side by side leave a cell 0.9 inches at most."""
    many: Any = {"rounds": 40_000, "contested": 35_893, "anomalies": {"alive after revoke": 31_570}}
    found = [
        *(Races(instances=n, contest=c, winners={}, outcomes={}, **many)
          for n in (2, 4, 8, 16) for c in ("revoke", "logout-all")),
        *(Races(instances=n, winners={2: 31_570, 1: 4_323}, outcomes={}, rounds=40_000,
                contested=35_893) for n in (2, 4, 8, 16)),
    ]  # fmt: skip
    facts = records.subjects([records.Shape("redis:none", records.CRASH, 40)])[:1]
    trial = records.trial(
        facts[0].label, "consistency", "instances", 0,
        ConsistencyFindings(visibility=[], races=found, errors={}),
    )  # fmt: skip
    run = records.run_of(facts, [trial])
    told = summary(run, [trial])
    plot = races.draw(Scene(told, looks(facts, names(facts)), "conditions"))
    assert plot is not None
    [axes] = plot.figure.axes
    plot.figure.savefig(io.BytesIO())  # Where text ends is known once it is drawn.
    inside = [patch.get_window_extent() for patch in axes.patches]
    texts = [text for text in axes.texts if "of 35,893" in text.get_text()]
    assert len(texts) == len(found)
    for text in texts:
        box = text.get_window_extent()
        assert any(cell.x0 <= box.x0 and box.x1 <= cell.x1 for cell in inside), text.get_text()


def test_a_zero_beside_a_loss_has_its_bound(tmp_path: Path) -> None:
    """The naive way lost the same race; it stands in a group of its own."""
    lost = {"alive after revoke": 30}
    page = raced(tmp_path, met("revoke"), met("revoke", anomalies=lost))
    assert "0 of 59" in page.text
    assert "30 of 59" in page.text
    assert "uncontrolled" not in page.text
    assert "Naive ways: read, decide, write back" in page.text


def test_a_zero_beside_nothing_is_uncontrolled(tmp_path: Path) -> None:
    """Nobody lost such a race, so the zero proves nothing, and says so."""
    page = raced(tmp_path, met("revoke"), met("revoke"))
    assert "uncontrolled" in page.text
    assert "Uncontrolled: no subject of this run lost such a race" in page.text


def test_a_crashed_checker_is_no_pass(tmp_path: Path) -> None:
    """The cell says undecided, with the reason."""
    page = raced(
        tmp_path, met("revoke", undecided={"double spend": "KeyError: 'x'"}), met("revoke")
    )
    assert "undecided" in page.text
    assert "A checker crashed: KeyError: 'x'." in page.text


def test_what_could_not_be_raced_says_why(tmp_path: Path) -> None:
    """n/a, never 0."""
    none = met("rotate", mishap="lost answers", rounds=0, contested=0, unsuited="no server")
    page = raced(tmp_path, none, none)
    assert "n/a" in page.text
    assert "no server" in page.text


@pytest.mark.parametrize("mishaps", [*itertools.permutations(("lost answers", "paused server"))])
def test_mishaps_are_drawn_in_the_order_of_the_run(mishaps: Sequence[str]) -> None:
    """Whatever Python's hashes are today: two drawings of a run are alike."""
    [fact] = records.subjects([records.Shape("redis:none", records.CRASH, 40)])[:1]
    found = ConsistencyFindings(
        visibility=[], races=[met("rotate", mishap=mishap) for mishap in mishaps], errors={}
    )
    trials = [records.trial(fact.label, "consistency", "instances", 0, found)]
    seen = summary(records.run_of([fact], trials), trials)
    plot = races.draw(Scene(seen, looks(seen.subjects, names(seen.subjects)), "conditions"))
    assert plot is not None
    headings = [label.get_text() for label in plot.figure.axes[0].get_xticklabels()]
    assert headings == [f"amid\n{mishap}".replace(" ", "\n") for mishap in mishaps]


def test_the_cross_check_is_counted(tmp_path: Path) -> None:
    """What the search decided, what it did not, and whether it agrees."""
    orders = {"linearizable": 50, "undecided": 9}
    page = raced(tmp_path, met("revoke", orders=orders), met("revoke"))
    assert "50 linearizable, 9 undecided" in page.text
    assert "It agrees with the checkers" in page.text
    page = raced(tmp_path / "2", met("revoke", orders=orders, disagreements=4), plain(1))
    assert "It disagrees with the checkers on 4" in page.text
