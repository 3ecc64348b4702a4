"""`refreshbench run`."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.complete import efforts, runs, scenario_names, server_ways, subjects
from bench.commands.output import err, out, print_json, table

EXAMPLES = """
[bold]Examples[/]

refreshbench run
refreshbench run latency -b redis -b postgres --effort standard
refreshbench run durability -b redis:aof-everysec --set durability.trials=20
refreshbench run latency --set latency.connections=1,64
refreshbench run load --workload peak.toml -b postgres -b redis
refreshbench run -b my_store.py:make_store -b redis
refreshbench run latency -b redis --servers url --workers tcp://scheduler.example:8786
refreshbench run --resume 20261123T130102Z-quick
REFRESHBENCH_REDIS_URL=redis://db.example/0 refreshbench run -b redis
"""


def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SCENARIO", help="What to measure; all if none.", autocompletion=scenario_names
        ),
    ] = None,
    backends: Annotated[
        list[str] | None,
        typer.Option(
            "--backend",
            "-b",
            metavar="SUBJECT",
            help="A store: backend, backend:profile, or path/to/file.py:factory for any store of"
            " yours. Repeatable; the default comparison if none.",
            autocompletion=subjects,
        ),
    ] = None,
    effort: Annotated[
        str | None,
        typer.Option(
            metavar="quick|standard|thorough",
            help="How long it may take: a look, a result, a proof. [dim]\\[default: quick][/]",
            autocompletion=efforts,
        ),
    ] = None,
    servers: Annotated[
        str | None,
        typer.Option(
            metavar="auto|wheel|path|url",
            help="Where servers come from: installed packages, PATH, or the URLs you set."
            " [dim]\\[default: auto, the first that works][/]",
            autocompletion=server_ways,
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="local|tcp://HOST:PORT",
            help="Where the load comes from: processes of this host, or the workers of a Dask"
            " cluster. [dim]\\[default: local][/]",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Makes order and workload the same again. Random if not given."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SCENARIO.KEY=VALUE",
            help="Change a parameter of a scenario ([bold]refreshbench list scenarios[/] names"
            " them). Repeatable.",
        ),
    ] = None,
    workload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file with a table a scenario and its parameters in it; --set comes after.",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run that was cut short, by path or name: same plan, same seed, each"
            " trial once.",
            autocompletion=runs,
        ),
    ] = None,
    results: Annotated[Path, typer.Option(help="Where the run is recorded.")] = Path("results"),
    reports: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("reports"),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout that names run and report.")
    ] = False,
) -> None:
    """Run scenarios on stores, record every trial, and report.

    With no arguments: the whole comparison, quick, on what this machine has.
    It ends by naming the report it wrote. Exit code 1 if a trial failed.
    """
    from bench import running
    from bench.options import RunOptions
    from bench.workload_file import settings as settings_of

    from_file = settings_of(workload) if workload is not None else ()
    given = RunOptions.parse(
        {
            "scenarios": scenarios,
            "backends": backends,
            "effort": effort,
            "servers": servers,
            "workers": workers,
            "seed": seed,
            "set": (*from_file, *(settings or ())),
        }
    )
    folders = running.Folders(results=results, reports=reports)
    if resume is None:
        result = running.start(given, folders, err())
    else:
        result = running.resume(resume, given, folders, err())
    if as_json:
        print_json(result)
    else:
        short = running.short_table(result)
        if short.rows:
            out().print(table("", short.columns, short.rows))
        for note in short.notes:
            out().print(note, markup=False, style="dim")
        out().print(f"report: {result.report}", markup=False, soft_wrap=True)
    for failed in result.failed:
        err().print(f"failed: {failed.id}: {failed.error}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if result.failed else 0)
