"""`triptych gate`."""

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
    GroupBy,
    Json,
    Judge,
    JudgeSample,
    Limit,
    Lm,
    LmSample,
    NoCache,
    OnBad,
    Out,
    Plan,
    Reward,
    RewardSample,
    Split,
    Student,
    Workers,
    _command,
    _roles,
)
from triptych.cli.show import progress
from triptych.core.errors import UsageError, message

AGAINST = 1
"""Exit code of a gate that fails."""

Baseline = Annotated[
    str | None,
    typer.Option(help="A saved profile folder, its profile.json alone, or another data set.", metavar="DIR|FILE"),
]
Rules = Annotated[
    Path | None, typer.Option(help="Rules, as TOML.", metavar="FILE", show_default="no worse than the baseline")
]
Annotations = Annotated[
    str | None,
    typer.Option("--annotations", help="Print a line for each failure that a CI shows beside the run: github."),
]
Encoder = Annotated[str | None, typer.Option(help="As for measure.", show_default="that of the saved profile")]
Tokenizer = Annotated[str | None, typer.Option(help="As for measure.", show_default="that of the saved profile")]


def gate(
    data: Annotated[str, typer.Argument(help="A data set, as for measure, or a saved profile folder.")],
    baseline: Baseline = None,
    rules: Rules = None,
    out: Out = None,
    annotate: Annotations = None,
    encoder: Encoder = None,
    tokenizer: Tokenizer = None,
    judge: Judge = None,
    judge_sample: JudgeSample = None,
    lm: Lm = None,
    lm_sample: LmSample = None,
    student: Student = None,
    reward: Reward = None,
    reward_sample: RewardSample = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Annotated[int, typer.Option(help="Kept in the provenance; no verdict depends on it.")] = 0,
    workers: Workers = None,
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Judge a data set by rules against a baseline: exit 0 passes, 1 a rule fails, 2 bad input."""
    if annotate not in (None, "github"):
        raise UsageError(message("--annotations is not right.", got=annotate, want="github"))
    asked: dict[str, Any] = {"baseline": baseline, "rules": rules, "encoder": encoder, "tokenizer": tokenizer}
    asked |= {"map": _roles(map_ or []), "group_by": group_by, "on_bad": on_bad, "split": split, "limit": limit}
    asked |= {"seed": seed, "workers": workers, "judge": judge, "judge_sample": judge_sample}
    asked |= {"lm": lm, "lm_sample": lm_sample, "student": student, "reward": reward, "reward_sample": reward_sample}
    if plan:
        typer.echo(api.plan_gate(data, **asked))
        return
    folder = out or Path("triptych-out") / "gate"
    cache = False if no_cache else None
    document = api.gate(data, out=folder, progress=progress(), cache=cache, command=_command(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
    else:
        show(document, folder, Console())
    if annotate:
        from triptych.comparing.gate.words import workflow_commands  # noqa: PLC0415 - on request only

        print(*workflow_commands(document), sep="\n", file=sys.stderr if as_json else sys.stdout)
    if not document["passed"]:
        raise typer.Exit(AGAINST)


def show(document: Mapping[str, Any], folder: Path, console: Console) -> None:
    """A gate as a table: each limit with its outcome and why."""
    passed = "passed" if document["passed"] else "FAILED"
    console.print(f"gate {passed}: {document['sentence']}", highlight=False, markup=False, soft_wrap=True)
    table = Table("", "rule", "why")
    for one in document["rules"]:
        name = one["rule"] + (f", {one['by']} = {one['group']}" if one["group"] is not None else "")
        mark = "FAIL" if one["fails"] else one["outcome"]
        table.add_row(mark, _plain(name), _plain(one["text"]))
    console.print(table)
    for warning in document["warnings"]:
        console.print(f"note: {warning['text']}", highlight=False, markup=False)
    console.print(f"\nresult: {folder / 'gate.md'}", highlight=False, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
