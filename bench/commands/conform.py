"""`refreshbench conform`: hold one store, of ours or of anyone, to the contract."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.output import err, out, print_json, table
from bench.errors import Failed, WrongUse
from scenarios.scenario import Effort

# What checks a store is imported when a store is to be checked: `--help` needn't wait for it.

EXAMPLES = """
[bold]Examples[/]

refreshbench conform redis:aof-always
refreshbench conform mystore.py:make --effort quick
refreshbench conform mystore.py:make --only 2,9,10 --effort thorough
refreshbench conform mystore.py:make --junit conform.xml
"""


def conform(
    target: Annotated[
        str,
        typer.Argument(
            help="A store: redis:aof-always, path/to/store.py:make, package.module:make,"
            " or what an installed package registers."
        ),
    ],
    effort: Annotated[
        Effort, typer.Option(help="How long to look for what is rarely seen.")
    ] = Effort.STANDARD,
    only: Annotated[
        str, typer.Option(metavar="N,…", help="Hold it to these properties alone.")
    ] = "",
    servers: Annotated[
        str, typer.Option(help="How its server is had: auto, wheel, path, url.")
    ] = "auto",
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML there too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Hold a store to the contract of a refresh-token store, property by property.

    Exit code 0: it conforms. 1: a property is violated, or can't be decided. 2: no such store or
    option. 3: its server or driver isn't here.
    """
    from bench.conform import report as reports
    from bench.conform.checker import Checker

    numbers = _numbers(only)
    _writable(junit)
    checker = Checker(target, effort, servers)
    with checker, err().status(f"holding {checker.subject.spec} to the contract") as shown:
        report = checker.run(
            numbers,
            lambda held, result: shown.update(f"{held.number} {held.name}: {result.status}"),
        )
    if junit is not None:
        junit.write_text(reports.junit(report), encoding="utf-8")
    if as_json:
        print_json(reports.document(report))
    else:
        by = f" on {report.served_by}" if report.served_by else ""
        title = f"{report.title}, {report.spec}{by}"
        out().print(table(title, reports.COLUMNS, reports.rows(report)))
    if not report.good:
        raise Failed(reports.verdict(report))
    if not as_json:
        out().print(reports.verdict(report))


def _numbers(only: str) -> set[int]:
    from bench.conform.properties import BY_NUMBER

    wanted = {part.strip() for part in only.split(",") if part.strip()}
    if unknown := sorted(one for one in wanted if not one.isdecimal() or int(one) not in BY_NUMBER):
        raise WrongUse(
            f"--only takes numbers from 1 to {max(BY_NUMBER)}, separated by commas;"
            f" not {', '.join(unknown)}"
        )
    return {int(one) for one in wanted}


def _writable(path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("a").close()
    except OSError as error:
        raise WrongUse(f"can't write {path}: {error.strerror}") from error
