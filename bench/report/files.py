"""The files of a report."""

import os
from pathlib import Path

from bench.analysis import Summary
from bench.record import Run
from bench.report import csvtable, page, plots
from bench.report.blocks import Material
from bench.report.comparison import comparison
from bench.report.conditions import one_line
from bench.report.figures import frame
from bench.report.names import names
from bench.report.plots.palette import colours
from bench.report.sections import SECTIONS


def write_files(run: Run, summary: Summary, record: Path, out: Path) -> Path:
    """Draw, render and write everything; give the path of the page. Raises OSError."""
    folder = out / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    for name in plots.PLOTS:
        for kind in ("png", "svg"):
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
    called = names(summary.subjects)
    material = Material(
        run=run,
        summary=summary,
        record=Path(os.path.relpath(record, out)).as_posix(),
        names=called,
        colours=colours(summary.subjects),
        pictures=plots.draw_all(summary, called, one_line(run, summary), folder),
    )
    made = [make(material) for make in SECTIONS]
    sections = [section for section in made if section is not None]
    compared = comparison(material)
    data = {
        "comparison.md": page.markdown(material, sections),
        **({"comparison.csv": csvtable.table(compared)} if compared else {}),
        "figures.csv": frame(summary).to_csv(index=False, lineterminator="\n", float_format="%.6g"),
    }
    # An earlier report in the same place may have compared.
    (out / "comparison.csv").unlink(missing_ok=True)
    for name, text in {**data, "index.html": page.html(material, sections, [*data])}.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    return out / "index.html"
