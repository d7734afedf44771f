"""`triptych solve`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from triptych import api
from triptych.cli.measure import Json, Limit, OnBad, Out, Plan, Split, _roles
from triptych.cli.show import progress


def solve(
    data: Annotated[str, typer.Argument(help="A data set with prompts, as for measure.")],
    student: Annotated[
        str | None,
        typer.Option(
            help="A trainer whose model before training is asked: hf:MODEL or tiny:start=FOLDER.",
            metavar="TRAINER",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    scorer: Annotated[
        str, typer.Option(help="What grades a response: exact, verifier, verifier:MODULE:FUNCTION or command:SCRIPT.")
    ] = "exact",
    samples: Annotated[int, typer.Option(help="Responses to each prompt.")] = 4,
    temperature: Annotated[float, typer.Option(help="Of the draws; 0 with one sample.")] = 0.8,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Find how complex each record is to a student: how often it solves it before training, and its surprisal.

    Writes solved.jsonl: the rows with the fields solve_rate and surprisal, for `triptych design solved.jsonl --levels`.
    A low solve rate is high complexity, so levels go down: C=solve_rate:.8,.2 (quantiles) and
    C=solve_rate:value:.7,value:.3 read from easy to hard. C=surprisal reads from easy to hard as it is.
    """
    folder = out or Path("triptych-out") / "solve"
    asked: dict[str, Any] = {"student": student or "", "scorer": scorer, "samples": samples, "seed": seed}
    asked |= {"temperature": temperature, "map": _roles(map_ or []), "on_bad": on_bad, "split": split, "limit": limit}
    if plan:
        typer.echo(api.plan_solve(data, **asked))
        return
    document = api.solve(data, out=folder, progress=progress(), **asked)
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    typer.echo(f"{document['data']['records']:,} records, {document['cost']['responses']:,} responses")
    typer.echo(f"solve rate: {_mean(document['solve_rate'])}")
    typer.echo(f"surprisal:  {_mean(document['surprisal'])} {document['surprisal']['unit']}")
    if document["ungraded"]["responses"]:
        ungraded = document["ungraded"]
        typer.echo(f"note: {ungraded['responses']:,} responses have no grade; the first: {ungraded['first']}")
        typer.echo(f"note: {ungraded['records']:,} records have no solve rate")
    for warning in document["warnings"]:
        typer.echo(f"note: {warning['text']}")
    typer.echo(f"\nrows: {folder / 'solved.jsonl'}")


def _mean(summary: Mapping[str, Any]) -> str:
    """A mean with its interval, or why there is none."""
    if summary["mean"] is None:
        return f"none: {summary['no_interval']}"
    if summary["lo"] is None:
        return f"{summary['mean']:.3f} (no interval: {summary['no_interval']})"
    return f"{summary['mean']:.3f} [{summary['lo']:.3f}, {summary['hi']:.3f}]"
