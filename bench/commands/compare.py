"""`refreshbench compare`."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.complete import runs as run_names
from bench.commands.output import err, out, print_json, table

EXAMPLES = """
[bold]Examples[/]

refreshbench compare 20261123T130102Z-latency-standard 20261124T090000Z-latency-standard
refreshbench compare main branch --threshold 10% --output comment.md
refreshbench compare before after --across 'redis server'
refreshbench compare main branch --relative-to redis:none --json
"""


def compare(
    base: Annotated[str, typer.Argument(help="The run to compare with.", autocompletion=run_names)],
    new: Annotated[str, typer.Argument(help="The run to judge.", autocompletion=run_names)],
    threshold: Annotated[
        str, typer.Option(metavar="SHARE", help="What may become worse by so much, and no more.")
    ] = "5%",
    across: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A difference that is what you compare, such as 'redis server'. Repeatable.",
        ),
    ] = None,
    relative_to: Annotated[
        str | None,
        typer.Option(
            metavar="SUBJECT",
            help="A subject of both runs that did not change: each figure is taken relative to its"
            " own of the same round, so that a slower machine is no slower store.",
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Markdown for a pull request on stdout.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Also write the Markdown to this file.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where runs are recorded.")] = Path("results"),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, with every figure.")
    ] = False,
) -> None:
    """Hold one run against another: what is better, worse, a tie, or not comparable.

    Exit code 1 if anything is worse by more than the threshold, or does harm that it did not do.
    """
    from bench.analysis import comparing
    from bench.errors import WrongUse
    from bench.options import share
    from bench.report import changes
    from bench.run_folder import RunFolder

    allowed = share("--threshold", threshold)
    if markdown and as_json:
        raise WrongUse("--markdown and --json are two documents; choose one, or use --output")
    folders = [RunFolder.named(name, results) for name in (base, new)]
    sides = [
        comparing.Recorded(folder.path.name, folder.run(), folder.trials()) for folder in folders
    ]
    found = comparing.compare(
        *sides, threshold=allowed, across=across or (), relative_to=relative_to
    )
    text = changes.as_markdown(found)
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WrongUse(f"--output {output}: can't be written: {error.strerror}") from error
    if as_json:
        print_json(found)
    elif markdown:
        typer.echo(text, nl=False)
    else:
        told = changes.changed(found)
        columns = ["subject", told.corner, *(column.title for column in told.columns)]
        rows = [
            [
                group.heading.partition(": BASE ")[0],
                row.heading,
                *(" ".join([cell.text, *cell.marks]) for cell in row.cells),
            ]
            for group in told.groups
            for row in group.rows
        ]
        if rows:
            out().print(table("", columns, rows))
        out().print(changes.headline(found), markup=False, soft_wrap=True)
        for note in (*changes.notes(found), *changes.incomparable(found)):
            err().print(note, markup=False, emoji=False, soft_wrap=True)
    if not (found.regressed or found.comparable):
        lacking = "each figure says why" if found.changes else "they have no figure in common"
        raise WrongUse(
            f"nothing of {base} and {new} can be compared: "
            + ("; ".join(found.differences) or lacking)
        )
    raise typer.Exit(1 if found.regressed else 0)
