"""`refreshbench list`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.output import out, print_json, table

if TYPE_CHECKING:
    from rich.table import Table

    from bench.listing import BackendRow, ScenarioRow, ServerRow

EXAMPLES = """
[bold]Examples[/]

refreshbench list
refreshbench list backends
refreshbench list scenarios --json
"""


class What(StrEnum):
    """What can be listed."""

    BACKENDS = "backends"
    SCENARIOS = "scenarios"
    SERVERS = "servers"


def lists(
    what: Annotated[What | None, typer.Argument(help="Everything if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List backends with their profiles, scenarios with their parameters, and servers."""
    from bench import listing

    asked = [what] if what else list(What)
    servers = [] if asked == [What.SCENARIOS] else listing.server_rows()
    backends = listing.backend_rows(servers) if What.BACKENDS in asked else []
    scenarios = listing.scenario_rows() if What.SCENARIOS in asked else []
    if as_json:
        rows = {What.BACKENDS: backends, What.SCENARIOS: scenarios, What.SERVERS: servers}
        print_json({one: rows[one] for one in asked})
        return
    if What.BACKENDS in asked:
        out().print(backends_table(backends))
    if What.SCENARIOS in asked:
        out().print(scenarios_table(scenarios))
    if What.SERVERS in asked:
        out().print(servers_table(servers))


def backends_table(rows: "Sequence[BackendRow]") -> "Table":
    """One line a profile; the default is marked."""
    columns = ["subject", "", "keeps writes through", "needs", "runs here by", "what it is"]
    lines: list[Sequence[str | None]] = []
    for row in rows:
        by = row.runs_by or f"missing: {row.mend}"
        if not row.profiles:
            lines.append([row.name, None, None, None, by, row.summary])
        for profile in row.profiles:
            subject = f"{row.name}:{profile.name}"
            default = "default" if profile.default else None
            needs = f"{row.server} server" if row.server else "nothing"
            lines.append(
                [subject, default, profile.keeps_writes_through, needs, by, profile.summary]
            )
    return table("Backends", columns, lines)


def scenarios_table(rows: "Sequence[ScenarioRow]") -> "Table":
    """One line a parameter, with its value per effort."""
    efforts = list(next(iter(rows[0].parameters.values())))
    lines: list[Sequence[str | None]] = []
    for row in rows:
        lines.append([row.name, row.summary, *[None] * len(efforts)])
        for key, values in row.parameters.items():
            shown = [_text(values[effort]) for effort in efforts]
            lines.append([None, f"--set {row.name}.{key}=", *shown])
    return table("Scenarios", ["scenario", "parameters", *efforts], lines)


def servers_table(rows: "Sequence[ServerRow]") -> "Table":
    """One line a way to get a kind of server."""
    return table(
        "Servers",
        ["server", "way", "version", "where, or why not", "what would bring it"],
        [[row.kind, row.way, row.version, row.detail, row.mend] for row in rows],
    )


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
