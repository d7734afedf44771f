"""`triptych design`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

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
from triptych.cli.show import progress

SHOWN = 8


def design(
    pool: Annotated[str, typer.Argument(help="The pool: a data set, as for measure.")],
    budget: Annotated[str, typer.Option(help="Of an arm: records, or tokens as in '2M tokens'.")],
    levels: Annotated[
        list[str],
        typer.Option(
            help="Q=FIELD:lo,hi,D=embedding,C=FIELD:lo,hi; levels are quantiles or value:X; none: the largest gap."
        ),
    ],
    out: Out = None,
    points: Annotated[str, typer.Option(help="full, fractional, d-optimal or d-optimal:N.")] = "full",
    centre: Annotated[int, typer.Option(help="Centre arms in a block.")] = 1,
    blocks: Annotated[int, typer.Option(help="Replicates, each with a low-diversity block of its own.")] = 3,
    draws: Annotated[int, typer.Option(help="Data sets drawn for each arm of a block.")] = 1,
    equal: Annotated[
        list[str] | None, typer.Option(help="What arms have in common: records, tokens, length.", show_default="all")
    ] = None,
    balance: Annotated[
        list[str] | None, typer.Option(help="Fields to share out equally.", show_default="source fields that are found")
    ] = None,
    pilot: Annotated[
        Path | None, typer.Option(help="runs.jsonl of earlier runs: their noise tells the power.", metavar="FILE")
    ] = None,
    measures: Annotated[
        list[str] | None, typer.Option(help="Measures of every arm, as for measure.", show_default="a few")
    ] = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Of clusters, blocks, draws and the random arm.")] = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Make arms at target levels of quality, diversity and complexity from a pool, all else held equal."""
    folder = out or Path("triptych-out") / "design"
    options: dict[str, Any] = {"points": points, "centre": centre, "blocks": blocks, "draws": draws}
    options |= {"equal": tuple(equal or ()), "balance": tuple(balance or ()), "pilot": pilot}
    asked: dict[str, Any] = {"budget": budget, "levels": ",".join(levels), "options": options}
    asked |= {"measures": tuple(measures or ()), "encoder": encoder, "tokenizer": tokenizer, "map": _roles(map_ or [])}
    asked |= {"group_by": group_by, "on_bad": on_bad, "split": split, "limit": limit, "seed": seed, "workers": workers}
    if plan:
        typer.echo(api.plan_design(pool, **asked))
        return
    cache = False if no_cache else None
    document = api.design(pool, out=folder, progress=progress(), cache=cache, command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    console = Console()
    for part in document.get("designs", [document]):
        _print(part, document, console)
    for warning in document["warnings"]:
        console.print(f"note: {warning['text']}", highlight=False, markup=False)
    console.print(f"\ndesign: {folder / 'design.json'}", highlight=False, markup=False, soft_wrap=True)


def _print(part: Mapping[str, Any], document: Mapping[str, Any], console: Console) -> None:
    """Levels, arms and balance of one design."""
    levels = Table("factor", "read from", "low", "high", "unit", title=part.get("title"))
    for name, factor in part["factors"].items():
        low, high = ("-" if value is None else f"{value:.3f}" for value in factor["reached"])
        levels.add_row(name, factor["label"], low, high, factor["unit"])
    console.print(levels)
    mine = set(part.get("arms", ())) if "title" in part else None
    known = {row["arm"]: row for row in document["diversity"]}
    arms = Table("arm", "records", "tokens", "Vendi", "TF-IDF Vendi", "structures")
    for arm in document["arms"]:
        if mine is None or arm["name"] in mine or not arm["levels"]:
            found = known[arm["name"]]
            labels = [next((k for k in found if k in ("vendi", "vendi:on=prompt")), ""), "tfidf_vendi:q=1"]
            labels += [next((k for k in found if k.startswith("effective_structures")), "")]
            shown = [f"{found[label]:.1f}" if label in found else "-" for label in labels]
            arms.add_row(arm["name"], f"{arm['records']:,}", f"{arm['tokens']:,}", *shown)
    console.print(arms)
    rows = sorted(part["balance"], key=lambda row: -row["smd"])
    balance = Table("balance: the largest", "SMD", "KS", "between")
    for row in rows[:SHOWN]:
        name = row["variable"] if row["asked"] else f"{row['variable']} (free)"
        balance.add_row(name, f"{row['smd']:.3f}", f"{row['ks']:.3f}", row["worst"])
    console.print(balance)
    shared = part["overlap"].get("within_block", {}).get("max", 0.0)
    number = part["condition_number"]
    console.print(
        f"condition number {'not defined' if number is None else f'{number:.2f}'}; "
        f"two arms of a block share at most {shared:.2f} of their records",
        highlight=False,
    )
