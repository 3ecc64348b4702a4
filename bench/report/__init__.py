"""Reports: tables, plots and a page, made from records alone."""

from pathlib import Path

from bench.analysis import summary
from bench.errors import Failed
from bench.report.terminal import ShortTable, short_table
from bench.run_folder import RunFolder

__all__ = ["ShortTable", "short_table", "write"]


def write(folder: RunFolder, out: Path) -> Path:
    """Write `index.html`, `comparison.md`, `figures.csv` and `plots/` into `out`.

    Where the run compares stores, `comparison.csv` too. Gives the path of `index.html`. The same
    record gives the same bytes; an earlier report in `out` is replaced. Raises WrongUse or Failed:
    the record is damaged, or `out` can't be written.
    """
    # Imported here: a table on a terminal shouldn't wait for what draws and renders.
    from bench.report.files import write_files  # noqa: PLC0415

    run = folder.run()
    figures = summary(run, folder.trials())
    try:
        return write_files(run, figures, folder.path, out)
    except OSError as error:
        raise Failed(f"can't write the report to {out}: {error.strerror}") from error
