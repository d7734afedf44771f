"""`triptych guard`."""

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
    Tokenizer,
    Workers,
    _command,
    _roles,
)
from triptych.cli.show import progress

AGAINST = 1
"""Exit code of the verdict stop."""

Rounds = Annotated[
    list[str],
    typer.Argument(help="A file or a folder for each round, in order, or one folder of them.", metavar="ROUND..|DIR"),
]
Anchor = Annotated[str | None, typer.Option(help="Real data, to compare every round with.", metavar="FILE")]
Panel = Annotated[
    Path | None, typer.Option(help="Scores by round: round,panel,score, or round,id,ood,..", metavar="SCORES.CSV")
]
AlarmRate = Annotated[float, typer.Option(help="Share of healthy loops that may be called wrongly.")]
At = Annotated[
    int | None,
    typer.Option(help="Valid records at which diversity is read.", metavar="N", show_default="what all have"),
]
Quality = Annotated[str | None, typer.Option(help="Field read as quality.", metavar="FIELD", show_default="found")]
Verified = Annotated[str | None, typer.Option(help="Field with the verifier's word.", metavar="FIELD")]
Right = Annotated[str | None, typer.Option(help="Field that says what is right in truth.", metavar="FIELD")]
Structure = Annotated[
    str | None, typer.Option(help="Field that says what kind of task it is.", metavar="FIELD", show_default="found")
]
Complexity = Annotated[str | None, typer.Option(help="Field read as depth.", metavar="FIELD", show_default="found")]
By = Annotated[str | None, typer.Option(help="The rows name their round in this field: step, round.", metavar="FIELD")]
Window = Annotated[int, typer.Option(help="So many values of that field in a row make one round.", metavar="N")]
Decode = Annotated[
    str | None, typer.Option(help="Tokenizer of rows that hold token numbers, not texts.", metavar="TOKENIZER.JSON")
]


def guard(
    rounds: Rounds,
    anchor: Anchor = None,
    panel: Panel = None,
    out: Out = None,
    quality: Quality = None,
    verified: Verified = None,
    right: Right = None,
    structure: Structure = None,
    complexity: Complexity = None,
    alarm_rate: AlarmRate = 0.05,
    at: At = None,
    by: By = None,
    window: Window = 1,
    decode: Decode = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Of the draws at a common number of records.")] = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Watch a self-improvement loop by what it writes: exit 0 continue or warn, 1 stop, 2 bad input."""
    asked: dict[str, Any] = {"anchor": anchor, "panel": panel}
    asked |= {"quality": quality, "verified": verified, "right": right, "structure": structure}
    asked |= {
        "complexity": complexity,
        "alarm_rate": alarm_rate,
        "at": at,
        "by": by,
        "window": window,
        "decode": decode,
    }
    asked |= {"encoder": encoder, "tokenizer": tokenizer, "map": _roles(map_ or []), "group_by": group_by}
    asked |= {"on_bad": on_bad, "limit": limit, "seed": seed, "workers": workers}
    if plan:
        typer.echo(api.plan_guard(*rounds, **asked))
        return
    folder = out or Path("triptych-out") / "guard"
    cache = False if no_cache else None
    document = api.guard(*rounds, out=folder, progress=progress(), cache=cache, command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
    else:
        from triptych.report.guard_text import print_guard  # noqa: PLC0415 - not needed for --json

        console = Console()
        print_guard(document, console)
        console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
    if document["verdict"] == "stop":
        raise typer.Exit(AGAINST)
