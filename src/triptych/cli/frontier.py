"""`triptych frontier`."""

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
    NoCache,
    OnBad,
    Out,
    Plan,
    Split,
    Tokenizer,
    Workers,
    _command,
    _roles,
)
from triptych.cli.select import (
    Complexity,
    Dedup,
    Drop,
    IdField,
    Keep,
    Least,
    Most,
    Quality,
    WithInvalid,
)
from triptych.cli.show import progress


def frontier(
    data: Annotated[str, typer.Argument(help="A data set, as for measure.")],
    budget: Annotated[str, typer.Option(help="Of every point: records, rows ('500 rows') or tokens ('2M tokens').")],
    out: Out = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            help="Policies: a name is swept along its dial, name:param=value,.. is one point; separated by commas, or "
            "repeated.",
            show_default="all",
        ),
    ] = None,
    pick: Annotated[
        str | None, typer.Option(help="Write a selection: knee, 'quality>=X' or 'diversity>=Y'.", metavar="RULE")
    ] = None,
    judge: Annotated[
        str, typer.Option(help="Measure of diversity on the x axis, of those that no policy selects with.")
    ] = "tfidf_vendi:q=2",
    judge_encoder: Annotated[
        str | None,
        typer.Option(
            help="Encoder whose vectors judge too: minilm (40 texts a second), adapted:PATH or column:FILE.npy.",
            metavar="NAME",
        ),
    ] = None,
    quality: Quality = None,
    complexity: Complexity = None,
    with_invalid: WithInvalid = False,
    most: Most = None,
    least: Least = None,
    keep: Keep = None,
    drop: Drop = None,
    id_field: IdField = "id",
    dedup: Dedup = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Of the policies and of the first random draw.")] = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Show quality against diversity of every policy at one budget, and pick from the frontier.

    Random (5 seeds), longest, top quality and most diverse are always there. The same command goes on where it stopped.
    """
    folder = out or Path("triptych-out") / "frontier"
    options: dict[str, Any] = {"policies": tuple(policies or ()), "pick": pick, "judge": judge, "dedup": dedup}
    options |= {
        "with_invalid": with_invalid,
        "max": tuple(most or ()),
        "min": tuple(least or ()),
        "keep": keep,
        "drop": drop,
    }
    options |= {"judge_encoder": judge_encoder, "id_field": id_field}
    asked: dict[str, Any] = {"budget": budget, "quality": quality, "complexity": complexity, "options": options}
    asked |= {"encoder": encoder, "tokenizer": tokenizer, "map": _roles(map_ or []), "group_by": group_by}
    asked |= {"on_bad": on_bad, "split": split, "limit": limit, "seed": seed, "workers": workers}
    if plan:
        typer.echo(api.plan_frontier(data, **asked))
        return
    cache = False if no_cache else None
    document = api.frontier(data, out=folder, progress=progress(), cache=cache, command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    from triptych.report import print_frontier  # noqa: PLC0415 - not needed for --json

    console = Console()
    print_frontier(document, console)
    lines = [f"picked: {folder / 'selected.jsonl'}"] if document["pick"] else []
    for line in [*lines, f"report: {folder / 'report.html'}"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
