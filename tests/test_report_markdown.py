"""The report as Markdown: what stands on the page unfolded, and no markup by chance."""

from pathlib import Path

import pytest

from bench.report import markdown
from bench.report.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Group,
    Picture,
    Points,
    Prose,
    Row,
    Section,
    Table,
)
from tests import records
from tests.pages import rendered

ROWS = [Group("g", [Row("r", [Cell("1")])])]
SMALL = Table(
    "small", "A caption", "Corner", [Column("a", "ms")], [Group("g", [Row("r", [Cell("1")])])]
)
LONG = Table("long", "Too long", "Corner", [Column("a")], [], folded=True)


def test_a_section_gives_everything_but_its_long_tables() -> None:
    """In the order of the page, the picture with its words."""
    picture = Picture("losses", "What was lost", "redis lost 3", 10, 10)
    blocks: list[Block] = [
        picture,
        Prose(["why"]),
        SMALL,
        LONG,
        Points("Words", [("Lead.", "rest")]),
    ]
    text = markdown.section(Section("s", "A title", [*blocks, Code("refreshbench run", "Again")]))
    order = [
        "## A title",
        "![redis lost 3](plots/losses.png)",
        "What was lost",
        "why",
        "A caption",
        "| r | 1 |",
        "### Words",
        "- **Lead.** rest",
        "```\nrefreshbench run\n```",
    ]
    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)
    assert "Too long" not in text


def test_a_section_of_long_tables_alone_has_no_heading() -> None:
    """A heading with nothing under it says nothing."""
    assert markdown.section(Section("s", "A title", [LONG])) == ""


def test_what_third_parties_wrote_is_no_markup() -> None:
    """In prose as in tables, and no fence can be left by a code block."""
    evil = "<b>*x*</b>\n# `y`"
    text = markdown.section(Section("s", evil, [Prose([evil], bullets=True), Code("``` z", evil)]))
    assert "<b>" not in text
    assert "*x*" not in text.replace("\\*x\\*", "")
    assert "\n# " not in text
    assert text.count("```") == 2


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("scenario", "picture", "table"),
    [
        ("latency", "throughput", "What an operation costs, at 8 connections"),
        ("durability", "losses", "What each fault took, and what it brought back"),
        ("consistency", "races", "Seen at once by other instances"),
    ],
)
def test_a_run_of_one_scenario_shows_its_table_and_picture(
    tmp_path: Path, scenario: str, picture: str, table: str
) -> None:
    """With the command that makes it again, so that it stands alone."""
    run, trials = records.example([scenario])
    folder = rendered(tmp_path, run, trials).parent
    text = (folder / "comparison.md").read_text(encoding="utf-8")
    assert f"(plots/{picture}.png)" in text
    assert (folder / "plots" / f"{picture}.png").exists()
    assert f"**{table}" in text
    assert f"refreshbench run {scenario}" in text
