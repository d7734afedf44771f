"""`triptych loop`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import Json, NoCache, Out, Plan, Workers, _command
from triptych.cli.show import progress
from triptych.report.loop_text import print_loop

AGAINST = 1
"""Exit code where an arm stopped before its last round."""


def loop(
    config: Annotated[Path | None, typer.Argument(help="A loop.toml.", metavar="LOOP.toml", show_default=False)] = None,
    preset: Annotated[str | None, typer.Option(help="Instead of a file: collapse.", show_default=False)] = None,
    out: Out = None,
    seed: Annotated[int | None, typer.Option(help="Of all draws.", show_default="the config's")] = None,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Run a self-improvement loop: generate, verify, measure, select, train, evaluate, round after round.

    Running the same command again goes on where it stopped. Exit 1: an arm could not go on; the reason is told.
    """
    if plan:
        typer.echo(api.plan_loop(config, preset=preset, seed=seed))
        return
    folder = out or Path("triptych-out") / "loop"
    given: dict[str, Any] = {"workers": workers, "cache": False if no_cache else None, "command": _command()}
    document = api.loop(config, preset=preset, out=folder, seed=seed, progress=progress(), **given)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
    else:
        console = Console()
        print_loop(document, console)
        console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
    if any(arm["stopped"] for arm in document["arms"]):
        raise typer.Exit(AGAINST)
