"""A report as GitHub-flavoured Markdown: its sections, without the long tables."""

from collections.abc import Sequence

from bench.report.blocks import Block, Cell, Code, Picture, Points, Prose, Section, Table

SPECIAL = str.maketrans(
    {
        "\\": "\\\\", "|": "\\|", "`": "\\`", "*": "\\*", "_": "\\_", "[": "\\[", "]": "\\]",
        "<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": " ",
    }
)  # fmt: skip
"""What Markdown or HTML would take for markup; names come from third parties."""


def escape(text: str) -> str:
    """Make text mean itself in Markdown."""
    return text.translate(SPECIAL)


def section(source: Section) -> str:
    """Write what the page shows unfolded of a section; nothing where all of it is folded."""
    shown = [b for b in source.blocks if not (isinstance(b, Table) and b.folded)]
    if not shown:
        return ""
    return "\n".join([f"## {escape(source.title)}\n", *map(_block, shown)])


def _block(block: Block) -> str:
    match block:
        case Table():
            return table(block)
        case Picture():
            picture = f"![{escape(block.alt)}](plots/{block.name}.png)"
            return f"{picture}\n\n{escape(block.caption)}\n"
        case Points():
            points = [f"- **{escape(lead)}** {escape(text)}\n" for lead, text in block.points]
            return f"### {escape(block.heading)}\n\n{''.join(points)}"
        case Prose():
            heading = f"### {escape(block.heading)}\n\n" if block.heading else ""
            before, between = ("- ", "\n") if block.bullets else ("", "\n\n")
            return heading + between.join(f"{before}{escape(p)}" for p in block.paragraphs) + "\n"
        case Code():
            return f"### {escape(block.caption)}\n\n```\n{block.text.replace('`', '')}\n```\n"


def table(source: Table) -> str:
    """Write the table, its legend and footnotes."""
    notes = source.notes
    headings = [source.corner, *(column.heading for column in source.columns)]
    lines = [
        f"**{escape(source.caption)}**",
        "",
        _line([escape(heading) for heading in headings]),
        _line(["---"] * len(headings)),
    ]
    for group in source.groups:
        lines.append(_line([f"**{escape(group.heading)}**", *[""] * len(source.columns)]))
        for row in group.rows:
            figures = [_cell(cell, [notes[note] for note in cell.notes]) for cell in row.cells]
            lines.append(_line([escape(row.heading), *figures]))
    lines.append("")
    lines += [f"{escape(line)}\n" for line in source.legend]
    lines += [f"{number}. {escape(note)}" for note, number in notes.items()]
    return "\n".join(lines).rstrip() + "\n"


def _line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _cell(cell: Cell, numbers: Sequence[int]) -> str:
    text = escape(cell.text)
    if cell.tone in {"best", "bad"}:
        text = f"**{text}**"
    marks = " ".join(f"*{escape(mark)}*" for mark in cell.marks)
    notes = f"<sup>{', '.join(map(str, numbers))}</sup>" if numbers else ""
    detail = f"<br>{escape(cell.detail)}" if cell.detail else ""
    return f"{text}{notes}{detail}{f'<br>{marks}' if marks else ''}"
