"""`refreshbench doctor`."""

from typing import Annotated

import typer

from bench.commands.lists import backends_table, servers_table
from bench.commands.output import out, print_json

EXAMPLES = """
[bold]Examples[/]

refreshbench doctor
refreshbench doctor --json
refreshbench doctor && refreshbench run
"""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say what this machine can run, and the commands that bring the rest.

    Also what on it would spoil figures. Exit code 0 if the whole default
    comparison can run here, else 3.
    """
    from bench import listing

    health = listing.health()
    if as_json:
        print_json(health)
    else:
        console = out()
        console.print(servers_table(health.servers))
        console.print(backends_table(health.backends))
        for warning in health.warnings:
            console.print(f"note: {warning}", markup=False)
        for missing in health.missing:
            console.print(f"{missing.spec}: {missing.reason}; {missing.mend}", markup=False)
        runs, total = len(health.subjects), len(health.subjects) + len(health.missing)
        console.print(f"{runs} of {total} subjects of the default comparison run here.")
    raise typer.Exit(3 if health.missing else 0)
