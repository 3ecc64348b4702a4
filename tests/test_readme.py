"""The README says what the committed reference run says."""

import os
import re
from pathlib import Path

import pytest

from bench import analysis, report
from bench.run_folder import RunFolder

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- reference table: begin -->\n", "<!-- reference table: end -->"


def reference_table() -> str:
    """Give the reference run's short table as Markdown."""
    folder = RunFolder(ROOT / "results" / "reference")
    table = report.short_table(analysis.summary(folder.run(), folder.trials()))
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(f"{note}.  " for note in table.notes), ""])


def test_the_table_is_the_reference_runs() -> None:
    """The table in the README is made from the record; UPDATE_DOCS=1 writes it anew."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    shown, tail = rest.split(END)
    if os.environ.get("UPDATE_DOCS"):
        readme.write_text(f"{head}{BEGIN}{reference_table()}{END}{tail}", encoding="utf-8")
    else:
        assert shown == reference_table()


def test_what_the_readme_points_to_is_there() -> None:
    """Every relative link and picture of README and docs leads to a file."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


@pytest.mark.parametrize("run", ["powercuts", "races"])
def test_a_long_run_that_the_findings_cite_has_no_trial_that_failed(run: str) -> None:
    """Not all that was planned was needed, or waited for; nothing that was done is left out."""
    folder = RunFolder(ROOT / "results" / run)
    trials = folder.trials()
    assert {trial.id for trial in trials} < {one.id for one in folder.run().plan}
    assert {trial.status for trial in trials} == {"ok"}


@pytest.mark.parametrize(
    "run",
    [
        "reference",
        "durability",
        "failover",
        "scale",
        "balancer",
        "disks",
        "speed",
        "staleness",
        "shipped",
    ],
)
def test_a_run_that_the_documents_cite_is_whole(run: str) -> None:
    """Every planned trial of it is there once, and none failed."""
    folder = RunFolder(ROOT / "results" / run)
    trials = folder.trials()
    assert sorted(trial.id for trial in trials) == sorted(one.id for one in folder.run().plan)
    assert {trial.status for trial in trials} == {"ok"}
