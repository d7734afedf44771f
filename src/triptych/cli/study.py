"""`triptych study`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import Engine, Json, NoCache, Out, Plan, Seed, Workers
from triptych.cli.show import progress
from triptych.report.study_text import print_study


def study(
    design: Annotated[
        Path | None, typer.Argument(help="A folder that `triptych design` wrote.", show_default=False)
    ] = None,
    out: Out = None,
    preset: Annotated[str | None, typer.Option(help="Instead of a design: findings.", show_default=False)] = None,
    worlds: Annotated[
        list[str] | None, typer.Option(help="Worlds of the preset.", show_default="all that have one")
    ] = None,
    blocks: Annotated[int, typer.Option(help="Blocks of the preset: each runs every arm once.")] = 5,
    trainer: Annotated[
        str, typer.Option(help="tiny, hf:MODEL, probe or command:SCRIPT, with parameters: tiny:epochs=20,width=64.")
    ] = "tiny",
    panel: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FILE[,SCORER]: test items; exact, verifier[:NAME], loglik or command:SCRIPT. {block} in FILE stands for "
            "the arm's block. Names that begin with id are in distribution.",
            show_default="those of the design",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each arm.")] = 1,
    margin: Annotated[
        float | None,
        typer.Option(help="The smallest effect that is worth having, in score units.", show_default=".05 on 0..1"),
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Resamples of items, seeds and arms; 0: none.")] = 1000,
    measure: Annotated[bool, typer.Option(help="Profile every arm.")] = True,
    measured: Annotated[
        list[str] | None,
        typer.Option(
            help="FACTOR=MEASURE: which measure reads a factor, as D=vendi:q=2.", show_default="the headlines"
        ),
    ] = None,
    seed: Seed = 0,
    workers: Workers = None,
    engine: Engine = "local",
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Train on every arm of a design, score every panel, and say what each axis did, with intervals.

    Running the same command again goes on where it stopped.
    """
    settings: dict[str, Any] = {
        "preset": preset,
        "worlds": tuple(name for given in worlds or () for name in given.split(",")),
        "blocks": blocks,
        "trainer": trainer,
        "panels": tuple(panel or ()),
        "seeds": seeds,
        "margin": margin,
        "bootstrap": bootstrap,
        "measure": measure,
        "measured": tuple(measured or ()),
        "seed": seed,
        "workers": workers,
        "engine": engine,
        "cache": False if no_cache else None,
    }
    folder = out or Path("triptych-out") / "study"
    if plan:
        typer.echo(api.plan_study(design, out=folder, **settings))
        return
    document = api.study(design, out=folder, progress=progress(), **settings)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return
    print_study(document, Console())
    typer.echo(f"\nreport: {folder / 'report.html'}")
