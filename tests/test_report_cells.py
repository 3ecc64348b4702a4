"""Cells that a reader would take for more, or less, than they are."""

from backends.store import Durability
from bench.report.blocks import Table
from bench.report.cells import FEW
from bench.report.costs import cost_table
from bench.report.everycell import every_cell
from bench.report.merged import cannot_cell, seen_cell, winners_cell
from bench.report.sections import races
from tests.materials import material
from tests.summaries import consistency_trial, latency_trial, subject, summarised

ALONE = {"shared_by_processes": "each has its own", "shared_by_hosts": "each has its own"}


def test_processes_that_look_and_threads_that_race_are_told_apart() -> None:
    """Else 0% seen beside one winner is a contradiction; both in the comparison and beside it."""
    alone, shared = subject("memory:x", lacking=ALONE), subject("redis:x")
    trials = [consistency_trial("memory:x", {1: 80}, seen=0), consistency_trial("redis:x", {1: 80})]
    found = summarised([alone, shared], trials)
    [raced] = winners_cell(found, alone).notes
    assert "threads of one process" in raced
    [looked] = seen_cell(found, alone).notes
    assert "is a process" in looked
    assert not [*winners_cell(found, shared).notes, *seen_cell(found, shared).notes]
    section = races.section(material([alone, shared], trials))
    assert section is not None
    [table] = [block for block in section.blocks if isinstance(block, Table)]
    assert {raced, looked} <= set(table.notes)


def test_reasons_that_are_shared_are_joined_as_english_has_it() -> None:
    """Who can do neither of several can't do one or another."""
    [note] = cannot_cell(subject("memory:x", lacking=ALONE)).notes
    assert note == "Cannot be shared by processes or be shared by hosts: each has its own."


def test_percentiles_that_samples_cannot_carry_have_one_note() -> None:
    """However many cells there are, each of another size."""
    trials = [latency_trial("a:x", n, [10.0] * (200 + n), connections=n) for n in (1, 2, 8)]
    table = every_cell(material([subject("a:x")], trials))
    assert [note for note in table.notes if "Too few samples" in note] == [FEW]


def test_a_store_that_is_the_clients_has_one_row_and_one_reason() -> None:
    """There is nothing to tell apart in it."""
    facts = [subject("cookie:x", Durability.CLIENT)]
    trials = [latency_trial("cookie:x", n, [10.0] * 200, connections=n) for n in (1, 2, 8)]
    made = material(facts, trials)
    [group] = every_cell(made).groups
    [row] = group.rows
    assert {cell.text for cell in row.cells} == {"n/a"}
    for table in (every_cell(made), cost_table(made)):
        for one in (row for group in table.groups for row in group.rows):
            assert len(one.cells) == len(table.columns)
            assert [cell.detail for cell in one.cells if cell.detail] == ["held by the client"]
