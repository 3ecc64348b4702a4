"""The files of a report: which there are, and which not."""

import hashlib
from pathlib import Path

import pytest

from bench import report
from bench.errors import Failed, WrongUse
from bench.run_folder import RunFolder
from tests import records
from tests.pages import PICTURES, rendered


def test_everything_is_there(example_report: Path) -> None:
    """The page, the tables, and each picture twice, none of them large."""
    found = {
        path.relative_to(example_report).as_posix(): path for path in example_report.rglob("*.*")
    }
    assert set(found) == {
        "index.html", "comparison.md", "comparison.csv", "figures.csv",
        *(f"plots/{name}.{kind}" for name in PICTURES for kind in ("png", "svg")),
    }  # fmt: skip
    for name, path in found.items():
        limit = {".png": 200_000, ".svg": 300_000}.get(path.suffix, 1_500_000)
        assert path.stat().st_size < limit, name


def test_two_renderings_are_the_same_bytes(tmp_path: Path, example_report: Path) -> None:
    """Nothing in a report depends on when, or how often, it was example_report."""
    run, trials = records.example()
    again = rendered(tmp_path, run, trials, "example").parent

    def digests(folder: Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.*"))
        }

    assert digests(again) == digests(example_report)


@pytest.mark.usefixtures("undrawn")
def test_an_earlier_report_is_replaced(tmp_path: Path) -> None:
    """A picture for which there are no figures any more doesn't stay behind."""
    run, trials = records.example(["consistency"])
    out = rendered(tmp_path, run, trials, "first").parent
    assert (out / "plots" / "races.png").exists()
    run, trials = records.example(["durability"])
    folder = records.write(tmp_path / "results" / "second", run, trials)
    report.write(folder, out)
    assert not (out / "plots" / "races.png").exists()
    assert (out / "plots" / "losses.png").exists()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file where the folder should be: Failed, with the place."""
    run, trials = records.example(["consistency"])
    folder = records.write(tmp_path / "run", run, trials)
    (tmp_path / "taken").write_text("here", encoding="utf-8")
    with pytest.raises(Failed, match="taken") as caught:
        report.write(folder, tmp_path / "taken" / "report")
    assert "\n" not in str(caught.value)


def test_no_record_is_wrong_use(tmp_path: Path) -> None:
    """The same line as everywhere else."""
    folder = RunFolder(tmp_path / "nothing")
    with pytest.raises(WrongUse, match="no run"):
        report.write(folder, tmp_path / "out")
