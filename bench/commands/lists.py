"""`refreshbench list`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.output import out, print_json, table

if TYPE_CHECKING:
    from rich.table import Table

    from bench.listing import BackendRow, ScenarioRow, ServerRow, TopologyRow

EXAMPLES = """
[bold]Examples[/]

refreshbench list
refreshbench list backends
refreshbench list scenarios --json
"""


LOSES = "loses races on purpose"
WHAT = ("backends", "scenarios", "servers")


def lists(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="backends|scenarios|servers",
            help="Everything if not given.",
            autocompletion=lambda: WHAT,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List backends with their profiles, scenarios with their parameters, and servers."""
    from bench import listing
    from bench.errors import WrongUse
    from bench.options import hint

    if what not in {None, *WHAT}:
        raise WrongUse(f"nothing called {what!r} to list; {hint(str(what), WHAT)}")
    asked = [what] if what else WHAT
    servers = [] if what == "scenarios" else listing.server_rows()
    backends = listing.backend_rows(servers) if "backends" in asked else []
    scenarios = listing.scenario_rows() if "scenarios" in asked else []
    if as_json:
        rows = {"backends": backends, "scenarios": scenarios, "servers": servers}
        print_json({one: rows[one] for one in asked})
        return
    if "backends" in asked:
        out().print(backends_table(backends))
    if "scenarios" in asked:
        out().print(*map(scenario_table, scenarios))
    if "servers" in asked:
        out().print(servers_table(servers))


def backends_table(rows: "Sequence[BackendRow]") -> "Table":
    """One line a profile, the default marked, and one a topology."""
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
            what = f"{LOSES}: {profile.summary}" if row.naive else profile.summary
            lines.append([subject, default, profile.keeps_writes_through, needs, by, what])
        lines += [_topology(row, topology) for topology in row.topologies]
    return table("Backends", columns, lines)


def _topology(row: "BackendRow", topology: "TopologyRow") -> Sequence[str | None]:
    """In which profiles it keeps all through a failover, in the column that says what is kept."""
    kept = [name for name in topology.profiles if not topology.lacking[name]]
    through = "failover" if kept == topology.profiles else f"failover: {', '.join(kept) or 'no'}"
    subject = f"{row.name}@{topology.name}"
    return [subject, None, through, f"{row.server} servers", row.runs_by, topology.summary]


def scenario_table(row: "ScenarioRow") -> "Table":
    """One line a parameter, with its value per effort."""
    efforts = list(row.parameters["trials"].values)
    lines = [
        [f"{row.name}.{key}", *(_text(of.values[effort]) for effort in efforts), of.meaning]
        for key, of in row.parameters.items()
    ]
    return table(f"{row.name}: {row.summary}", ["--set", *efforts, "meaning"], lines)


def servers_table(rows: "Sequence[ServerRow]") -> "Table":
    """One line a way to get a kind of server."""
    return table(
        "Servers",
        ["server", "way", "version", "where, or why not", "what would bring it"],
        [[row.kind, row.way, row.version, row.detail, row.mend] for row in rows],
    )


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
