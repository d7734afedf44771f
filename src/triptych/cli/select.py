"""`triptych select`."""

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
    Judge,
    Limit,
    Lm,
    NoCache,
    OnBad,
    Out,
    Plan,
    Reward,
    Split,
    Student,
    Tokenizer,
    Workers,
    _command,
    _roles,
)
from triptych.cli.show import progress

Quality = Annotated[
    str | None,
    typer.Option(help="A label or numeric field, FIELD=VALUE, or a measure's column.", show_default="a field found"),
]
Complexity = Annotated[
    str | None, typer.Option(help="Likewise.", show_default="a field found, else reasoning_steps of the text")
]
Most = Annotated[
    list[str] | None,
    typer.Option(
        "--max", help="At most N records, or a share of the budget: FIELD:VALUE=N, FIELD=N for each value; repeated."
    ),
]
Least = Annotated[list[str] | None, typer.Option("--min", help="At least N, likewise.")]
Keep = Annotated[Path | None, typer.Option(help="Records that must be taken: ids, lines or rows.", metavar="FILE")]
Drop = Annotated[Path | None, typer.Option(help="Records that must not be taken.", metavar="FILE")]
IdField = Annotated[str, typer.Option(help="Field that --keep and --drop name records by.", metavar="FIELD")]
Dedup = Annotated[str | None, typer.Option(help="Remove duplicates first: exact, near, or a similarity from 0.5 to 1.")]
By = Annotated[list[str] | None, typer.Option(help="Fields that are read for the policy; repeated.", metavar="FIELD")]
WithInvalid = Annotated[
    bool, typer.Option("--with-invalid", help="Records with a defect may be taken too, by policies without a floor.")
]
On = Annotated[str | None, typer.Option(help="Text that is embedded: prompt or response.", show_default="response")]


def select(
    data: Annotated[str, typer.Argument(help="A data set, as for measure.")],
    budget: Annotated[str, typer.Option(help="Records, or '500 rows', or tokens as in '2M tokens'.")],
    policy: Annotated[str, typer.Option(help="name:param=value,param=value; see `triptych list`.")] = "balanced",
    out: Out = None,
    quality: Quality = None,
    complexity: Complexity = None,
    by: By = None,
    on: On = None,
    with_invalid: WithInvalid = False,
    most: Most = None,
    least: Least = None,
    keep: Keep = None,
    drop: Drop = None,
    id_field: IdField = "id",
    dedup: Dedup = None,
    measures: Annotated[
        list[str] | None, typer.Option(help="Measures of the selection, as for measure.", show_default="a few")
    ] = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    judge: Judge = None,
    lm: Lm = None,
    student: Student = None,
    reward: Reward = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Of the policy.")] = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Take exactly the records to train on: a policy under a budget, with the reason for every record."""
    folder = out or Path("triptych-out") / "select"
    options: dict[str, Any] = {"by": tuple(by or ()), "on": on, "with_invalid": with_invalid}
    options |= {"max": tuple(most or ()), "min": tuple(least or ()), "keep": keep, "drop": drop}
    options |= {"id_field": id_field, "dedup": dedup}
    asked: dict[str, Any] = {"budget": budget, "policy": policy, "quality": quality, "complexity": complexity}
    asked |= {"options": options, "measures": tuple(measures or ()), "encoder": encoder, "tokenizer": tokenizer}
    asked |= {"map": _roles(map_ or []), "group_by": group_by, "on_bad": on_bad, "split": split, "limit": limit}
    asked |= {"seed": seed, "workers": workers, "judge": judge, "lm": lm, "student": student, "reward": reward}
    if plan:
        typer.echo(api.plan_select(data, **asked))
        return
    cache = False if no_cache else None
    made = api.select(data, out=folder, progress=progress(), cache=cache, command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(made.document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    show(made.document, folder, Console())


def show(document: Mapping[str, Any], folder: Path, console: Console) -> None:
    """A selection as tables: what was taken, what it is like, why the rest was not."""
    counts, budget = document["counts"], document["budget"]
    title = f"{document['policy']['text']}: {counts['kept']:,} of {counts['records']:,} records"
    title += f", {counts['tokens']:,} tokens; {budget['spent']:,} of {budget['number']:,} {budget['unit']}"
    console.print(title, highlight=False, markup=False, soft_wrap=True)
    table = Table("measure", "pool", "random", "selected", "95 % interval")
    for entry in document["estimates"]:
        shown = [_number(entry[name]) for name in ("pool", "random", "selected")]
        between = "-" if entry["lo"] is None else f"{_number(entry['lo'])} to {_number(entry['hi'])}"
        table.add_row(entry["label"].removeprefix("label_mean:field="), *shown, between)
    if document["estimates"]:
        console.print(table)
    dropped = Table("dropped because", "records")
    for why, count in counts["dropped"].items():
        dropped.add_row(why, f"{count:,}")
    if counts["dropped"]:
        console.print(dropped)
    for note in document["notes"]:
        console.print(f"note: {note}", highlight=False, markup=False)
    for warning in document["warnings"]:
        console.print(f"warning: {warning['text']}", highlight=False, markup=False)
    files = f"\nrows: {folder / 'selected.jsonl'}\nreasons: {folder / 'selection.parquet'}"
    console.print(files, highlight=False, markup=False, soft_wrap=True)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
