"""A table as CSV: one row a subject, plain figures with the unit in the heading."""

import csv
import io
from collections import Counter

from bench.report.blocks import Cell, Table


def table(source: Table) -> str:
    """Write figures unrounded; where there is none, the words. Flags and notes come last."""
    out = io.StringIO(newline="")
    write = csv.writer(out, lineterminator="\n").writerow
    headings = _unique([column.heading for column in source.columns])
    write(["group", source.corner, *headings, "flags", "notes", "trials"])
    for group in source.groups:
        for row in group.rows:
            pairs = list(zip(headings, row.cells, strict=True))
            write(
                [
                    _inert(group.heading),
                    _inert(row.heading),
                    *[_figure(cell) for cell in row.cells],
                    "; ".join(f"{h}: {', '.join(cell.marks)}" for h, cell in pairs if cell.marks),
                    " ".join(dict.fromkeys(note for cell in row.cells for note in cell.notes)),
                    " / ".join(dict.fromkeys(cell.source for cell in row.cells if cell.source)),
                ]
            )
    return out.getvalue()


def _figure(cell: Cell) -> str:
    return _inert(cell.text) if cell.number is None else repr(cell.number)


def _inert(text: str) -> str:
    """Keep a spreadsheet from running what a third party named its store."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _unique(headings: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    unique = []
    for heading in headings:
        seen[heading] += 1
        unique.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return unique
