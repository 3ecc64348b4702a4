"""`refreshbench clean`."""

from typing import Annotated

import typer

from bench.commands.output import out, print_json

EXAMPLES = """
[bold]Examples[/]

refreshbench clean
"""


def clean(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Remove what killed runs left: processes, disks, scratch folders, cached clusters.

    Never touches a live run, a recorded run or a report.
    """
    from bench import workspace

    removed = workspace.clean()
    if as_json:
        print_json({"removed": removed})
        return
    for line in removed or ["nothing to remove"]:
        out().print(line, markup=False, soft_wrap=True)
