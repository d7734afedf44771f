"""`triptych generate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import Json, Out, Plan, _command
from triptych.cli.show import progress
from triptych.report.generation import print_generation

SHORT = 2
"""Exit code where the run ended short of its budget."""


def generate(
    recipe: Annotated[Path, typer.Argument(help="A recipe.toml.", metavar="RECIPE.toml")],
    out: Out = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Folder of answers, to share with other runs.", show_default="that of the run", metavar="DIR"
        ),
    ] = None,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Write records by a recipe: seeds, a writer, a method, a search, filters, a budget.

    Running the same command again goes on where it stopped; no answer is paid for twice. Exit 2: the run ended short of its
    budget; the reason is told, and what was made is kept.
    """
    if plan:
        typer.echo(api.plan_generate(recipe))
        return
    folder = out or Path("triptych-out") / "generate"
    document = api.generate(recipe, out=folder, progress=progress(), answers=answers, command=_command())
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
    else:
        console = Console()
        print_generation(document, console)
        console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
    if document["ended"] == "short":
        print(f"ended short of the budget: {document['stopped']}", file=sys.stderr)
        raise typer.Exit(SHORT)
