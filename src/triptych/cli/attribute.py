"""`triptych attribute`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import (
    Encoder,
    GroupBy,
    Json,
    Limit,
    Measures,
    NoCache,
    OnBad,
    Out,
    Plan,
    Tokenizer,
    Workers,
    _command,
    _roles,
)
from triptych.cli.show import progress

Data = Annotated[
    list[str],
    typer.Argument(
        help="Finished sets (folders with data.jsonl and recipe.json, or outputs of distilabel, Data Designer, Curator, "
        "reasoning-gym, verifiers), or recipes (.toml), which are generated first; NAME=PATH gives one a name."
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        help="KEY=A,B of the one recipe: method=few_shot,evol_instruct:depth=2, writer.temperature=.7,1.2, "
        "filters=none,near_duplicate+length. The first value is the reference. May be given several times.",
        metavar="KEY=A,B",
    ),
]
Design = Annotated[
    str,
    typer.Option(help="full (all combinations), oaat (one key at a time) or fractional (half, keys of two values)."),
]
Replicates = Annotated[int, typer.Option(help="Runs of each cell, each with a seed and answers of its own.")]
Match = Annotated[str, typer.Option(help="What all runs are cut to: records or tokens.")]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        help="COMPONENT=VALUE that the other values are held against.", show_default="the first, or none", metavar="C=V"
    ),
]
Margin = Annotated[
    list[str] | None,
    typer.Option(
        help="MEASURE=0.02 or MEASURE=5%: a difference that is too small to matter.", show_default="stated with each"
    ),
]
Map = Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")]
Seed = Annotated[int, typer.Option(help="Of the cut to equal size.")]


def attribute(
    data: Data,
    out: Out = None,
    vary: Vary = None,
    design: Design = "full",
    replicates: Replicates = 1,
    match: Match = "records",
    reference: Reference = None,
    margin: Margin = None,
    measures: Measures = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    map_: Map = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    limit: Limit = None,
    seed: Seed = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Say what each component of a recipe did to quality, diversity, complexity and cost, with intervals.

    Verdicts: raises, lowers, equivalent, cannot tell. The same command goes on where it stopped.
    """
    settings: dict[str, Any] = {
        "vary": tuple(vary or ()),
        "design": design,
        "replicates": replicates,
        "match": match,
        "reference": tuple(reference or ()),
        "margin": tuple(margin or ()),
        "measures": tuple(measures or ()),
        "encoder": encoder,
        "tokenizer": tokenizer,
        "map": _roles(map_ or []),
        "group_by": group_by,
        "on_bad": on_bad,
        "limit": limit,
        "seed": seed,
        "workers": workers,
        "cache": False if no_cache else None,
    }
    if plan:
        typer.echo(api.plan_attribute(*data, **settings))
        return
    folder = out or Path("triptych-out") / "attribute"
    document = api.attribute(*data, out=folder, progress=progress(), command=_command(), **settings)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    from triptych.report.attribution_text import print_attribution  # noqa: PLC0415 - not needed for --json

    console = Console()
    print_attribution(document, console)
    console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
