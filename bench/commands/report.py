"""`refreshbench report`."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.complete import runs as run_names
from bench.commands.output import out, print_json

EXAMPLES = """
[bold]Examples[/]

refreshbench report 20261123T130102Z-quick
refreshbench report results/*
refreshbench report results/20261123T130102Z-quick --json
"""


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Runs, by path or name.", autocompletion=run_names),
    ],
    results: Annotated[Path, typer.Option(help="Where runs are recorded.")] = Path("results"),
    reports: Annotated[Path, typer.Option(help="Where reports go.")] = Path("reports"),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, with every figure.")
    ] = False,
) -> None:
    """Write the reports of runs anew, from their records alone: no server is needed."""
    from bench import analysis
    from bench import report as reporting
    from bench.options import writable
    from bench.run_folder import RunFolder

    writable("--reports", reports)
    folders = [RunFolder.named(name, results) for name in runs]
    written = []
    for folder in folders:
        page = reporting.write(folder, reports / folder.path.name).absolute()
        entry: dict[str, object] = {"run": folder.path.absolute(), "report": page}
        if as_json:
            entry["figures"] = analysis.summary(folder.run(), folder.trials())
        else:
            out().print(f"report: {page}", markup=False, soft_wrap=True)
        written.append(entry)
    if as_json:
        print_json({"reports": written})
