"""The command `triptych`: its commands, and how errors end it.

Exit 0 done, 1 a verdict against, 2 bad input or usage (one clear message on standard error), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from triptych._version import __version__
from triptych.cli.attribute import attribute
from triptych.cli.audit import audit
from triptych.cli.catalog import check, explain, list_
from triptych.cli.compare import compare
from triptych.cli.design import design
from triptych.cli.frontier import frontier
from triptych.cli.gate import gate
from triptych.cli.generate import generate
from triptych.cli.guard import guard
from triptych.cli.loop import loop
from triptych.cli.measure import adapt, demo, measure
from triptych.cli.select import select
from triptych.cli.solve import solve
from triptych.cli.study import study
from triptych.cli.trace import trace
from triptych.cli.world import world
from triptych.core.errors import TriptychError
from triptych.engines.memory import leave_out_pandas

app = typer.Typer(
    name="triptych",
    help="Measure the data language models are trained on (quality, diversity, complexity, every number with its "
    "interval) and trace each axis to the scores of the model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(measure)
app.command()(demo)
app.command()(adapt)
app.command()(world)
app.command()(solve)
app.command()(gate)
app.command()(audit)
app.command()(guard)
app.command()(select)
app.command()(compare)
app.command()(design)
app.command()(frontier)
app.command()(loop)
app.command()(attribute)
app.command()(generate)
app.command()(study)
app.command()(trace)
app.command(name="list")(list_)
app.command()(explain)
app.command()(check)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"triptych {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Measure the data language models are trained on."""
    del version


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    leave_out_pandas()
    try:
        app(standalone_mode=True)
    except TriptychError as error:
        _say(error)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on from the cache", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        print(f"{error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


def _say(error: TriptychError) -> None:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
