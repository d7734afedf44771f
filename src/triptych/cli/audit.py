"""`triptych audit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import GroupBy, Json, Limit, OnBad, Out, Plan, Split, _command, _roles
from triptych.cli.show import progress

Scorer = Annotated[
    list[str],
    typer.Option(
        help="Scores: a field, FIELD[0] of a list, FIELD=VALUE, @length, or a judge to ask: judge:URL,model=NAME for "
        "grades, pairs:URL,model=NAME for verdicts in both orders; repeated.",
        metavar="FIELD",
    ),
]
Gold = Annotated[str | None, typer.Option(help="What is taken for true, likewise.", metavar="FIELD")]
Repeat = Annotated[list[str] | None, typer.Option(help="Second scores of the same records; repeated.", metavar="FIELD")]
Swapped = Annotated[str | None, typer.Option(help="Verdicts with the responses in the other order.", metavar="FIELD")]
Position = Annotated[
    str | None, typer.Option(help="A number: where a record stood when it was scored.", metavar="FIELD")
]
Pairs = Annotated[
    str | None,
    typer.Option(
        help="Field that the two records of a pair share.", metavar="FIELD", show_default="pair_id, or chosen/rejected"
    ),
]


def audit(
    data: Annotated[str, typer.Argument(help="A data set, as for measure.")],
    scorer: Scorer,
    gold: Gold = None,
    repeat: Repeat = None,
    swapped: Swapped = None,
    position: Position = None,
    pairs: Pairs = None,
    out: Out = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Say of a score column whether it can be trusted: usable, weak, no discrimination, or cannot tell."""
    asked: dict[str, Any] = {"scorer": tuple(scorer), "gold": gold, "pairs": pairs, "repeat": tuple(repeat or ())}
    asked |= {"swapped": swapped, "position": position, "map": _roles(map_ or []), "group_by": group_by}
    asked |= {"on_bad": on_bad, "split": split, "limit": limit}
    if plan:
        typer.echo(api.plan_audit(data, **asked))
        return
    folder = out or Path("triptych-out") / "audit"
    document = api.audit(data, out=folder, progress=progress(), command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    from triptych.report.audit_text import print_audit  # noqa: PLC0415 - not needed for --json

    console = Console()
    print_audit(document, console)
    console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
