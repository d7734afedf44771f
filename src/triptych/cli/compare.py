"""`triptych compare`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.measure import (
    Adjudicate,
    Against,
    By,
    Encoder,
    Engine,
    GroupBy,
    Json,
    Judge,
    JudgeSample,
    Labels,
    Limit,
    Lm,
    LmSample,
    Measures,
    NoCache,
    OnBad,
    Out,
    Plan,
    Reward,
    RewardSample,
    Split,
    Student,
    Tokenizer,
    Workers,
    _command,
    _roles,
)
from triptych.cli.show import progress

Data = Annotated[list[str], typer.Argument(help="Two or more data sets, as for measure; NAME=PATH gives one a name.")]
Match = Annotated[
    list[str] | None,
    typer.Option(
        help="Views, the main one first: records, tokens, length, prompt, mix:FIELD; several at once as in "
        "length+mix:FIELD. Raw and like-length views always stand beside it.",
        show_default="prompt where shared, else records",
    ),
]
Margin = Annotated[
    list[str] | None,
    typer.Option(
        help="MEASURE=0.02 or MEASURE=5%: a difference that is too small to matter.", show_default="stated with each"
    ),
]
Baseline = Annotated[
    str | None, typer.Option(help="The set that all others are compared with.", show_default="all pairs")
]
Models = Annotated[
    str | None,
    typer.Option(
        help="Label: compare the sets as models that answer the same prompts (pass@k, diversity per prompt).",
        show_default="where they have several answers and a label of 0 and 1",
    ),
]
Draws = Annotated[int, typer.Option(help="Draws of a matching that leaves records out.")]
Map = Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")]
Seed = Annotated[int, typer.Option(help="Of the draws.")]


def compare(
    data: Data,
    out: Out = None,
    match: Match = None,
    margin: Margin = None,
    baseline: Baseline = None,
    models: Models = None,
    against: Against = None,
    adjudicate: Adjudicate = None,
    labels: Labels = None,
    draws: Draws = 8,
    measures: Measures = None,
    encoder: Encoder = "static",
    tokenizer: Tokenizer = "wordpiece",
    judge: Judge = None,
    judge_sample: JudgeSample = None,
    lm: Lm = None,
    lm_sample: LmSample = None,
    student: Student = None,
    reward: Reward = None,
    reward_sample: RewardSample = None,
    map_: Map = None,
    group_by: GroupBy = None,
    by: By = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Seed = 0,
    workers: Workers = None,
    engine: Engine = "local",
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Say whether data sets can be compared, hold equal what must be equal, and judge each measure.

    Verdicts: a, b, equivalent, cannot tell. Always exits with 0 where the sets could be read.
    """
    settings: dict[str, Any] = {
        "match": tuple(match or ()),
        "margin": tuple(margin or ()),
        "baseline": baseline,
        "models": models,
        "against": tuple(against or ()),
        "adjudicate": adjudicate,
        "labels": labels,
        "draws": draws,
        "measures": tuple(measures or ()),
        "encoder": encoder,
        "tokenizer": tokenizer,
        "judge": judge,
        "judge_sample": judge_sample,
        "lm": lm,
        "lm_sample": lm_sample,
        "student": student,
        "reward": reward,
        "reward_sample": reward_sample,
        "map": _roles(map_ or []),
        "group_by": group_by,
        "by": by,
        "on_bad": on_bad,
        "split": split,
        "limit": limit,
        "seed": seed,
        "workers": workers,
        "engine": engine,
        "cache": False if no_cache else None,
    }
    if plan:
        typer.echo(api.plan_compare(*data, **settings))
        return
    folder = out or Path("triptych-out") / "compare"
    document = api.compare(*data, out=folder, progress=progress(), command=_command(), **settings)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    _show(document, folder)


def _show(document: Mapping[str, Any], folder: Path) -> None:
    """Print a comparison, and where its files are."""
    from triptych.report.comparison_text import print_comparison  # noqa: PLC0415 - not needed for --json

    console = Console()
    print_comparison(document, console)
    if document["sheet"] is not None:
        sheet = f"\n{len(document['sheet'])} pairs to judge: {folder / 'adjudicate.csv'} (then --labels)"
        console.print(sheet, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
