"""Each broken store is caught by the property that its bug breaks; a table says which."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import backends
from bench.conform.checker import Checker
from bench.conform.properties import BY_NUMBER, PROPERTIES
from bench.conform.property import Status
from bench.conform.report import verdict
from scenarios.scenario import Effort

FOLDER = Path(__file__).parent / "broken_stores"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
PAGE = Path(__file__).parent.parent / "docs" / "contract.md"


def module(name: str) -> ModuleType:
    return importlib.import_module(f"tests.broken_stores.{name}")


def spec(name: str) -> str:
    return f"{FOLDER / name}.py:{'BACKEND' if hasattr(module(name), 'BACKEND') else 'make'}"


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_store_is_caught_by_the_right_property(name: str) -> None:
    """The property that the bug breaks is violated: not undecided, and not another's business."""
    caught_by = module(name).CAUGHT_BY
    with Checker(spec(name), Effort.QUICK) as checker:
        result = checker.check(BY_NUMBER[caught_by])
    assert result.status is Status.VIOLATED, f"{name}: {result}"


@pytest.mark.parametrize("name", [name for name in backends.BUILT_IN if backends.load(name).naive])
def test_each_naive_way_that_ships_fails_and_is_said_to_be_meant_to(name: str) -> None:
    """It is there to lose races, and must never pass for a store to use."""
    with Checker(name, Effort.QUICK) as checker:
        report = checker.run(only={2})
    [result] = report.results
    assert result.status is Status.VIOLATED, result
    assert "loses races on purpose" in verdict(report)


def test_every_property_catches_a_broken_store() -> None:
    """No property is vacuous, but the last resort: stories, which others overtake."""
    caught_by = {module(name).CAUGHT_BY for name in NAMES}
    assert set(BY_NUMBER) - caught_by == {26}


def test_there_are_enough_of_them() -> None:
    """At least the two dozen bugs that the contract was asked to catch."""
    assert len(NAMES) >= 24


def broken_stores() -> str:
    rows = [
        f"| `{name}` | {(module(name).__doc__ or '').strip()} |"
        f" {module(name).CAUGHT_BY} {BY_NUMBER[module(name).CAUGHT_BY].name} |\n"
        for name in NAMES
    ]
    return "| store | its bug | caught by |\n|---|---|---|\n" + "".join(rows)


def properties() -> str:
    rows = [
        f"| {one.number} | {one.name} | {one.says} | {one.source} | {one.consequence} |\n"
        for one in PROPERTIES
    ]
    head = (
        "| | name | what a store owes | source | what a violation costs |\n|---|---|---|---|---|\n"
    )
    return head + "".join(rows)


@pytest.mark.parametrize("made", [properties, broken_stores], ids=lambda made: made.__name__)
def test_the_page_has_the_table(made: Callable[[], str]) -> None:
    """docs/contract.md has its tables as they are made here; UPDATE_DOCS=1 writes them."""
    begin, end = (f"<!-- {made.__name__}: {edge} -->\n" for edge in ("begin", "end"))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    found, _, after = rest.partition(end)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(before + begin + made() + end + after, encoding="utf-8")
        return
    assert found == made(), "docs/contract.md is out of date: set UPDATE_DOCS=1, run this again"
