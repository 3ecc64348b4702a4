"""The command line: every command is one line here and one file in `bench/commands/`."""

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from backends.errors import BadSubject, MissingDriver
from bench.commands import clean, compare, conform, doctor, lists, report, run
from bench.errors import RefreshbenchError

EXAMPLES = """
[bold]Examples[/]

refreshbench run               the whole comparison, quick
refreshbench run latency -b redis -b postgres
refreshbench doctor            what runs here, and what brings the rest
refreshbench list backends
"""

app = typer.Typer(
    name="refreshbench",
    help="Where should a system keep its refresh tokens? Measured on real servers.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("list", epilog=lists.EXAMPLES)(lists.lists)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("conform", epilog=conform.EXAMPLES)(conform.conform)
app.command("clean", epilog=clean.EXAMPLES)(clean.clean)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 good, 1 something failed, 2 wrong use, 3 something is missing.

    What a user can mend is told in one line on stderr; only a fault of ours shows a traceback.
    """
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, prog_name="refreshbench", standalone_mode=False)
    except TyperException as error:
        return _say(f"{error.format_message().rstrip('.')}{_see(error)}", error.exit_code)
    except MissingDriver as error:
        return _say(str(error), 3)
    except BadSubject as error:
        return _say(str(error), 2)
    except RefreshbenchError as error:
        return _say(str(error), error.exit_code)
    except typer.Abort:
        return _say("aborted", 1)
    return code if isinstance(code, int) else 0


def _see(error: TyperException) -> str:
    """Name the help of the command that was typed, for what was typed wrong."""
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _say(problem: str, code: int) -> int:
    line = " ".join(problem.split())
    if line:
        sys.stderr.write(f"refreshbench: {line}\n")
    return code
