"""`triptych trace`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

from triptych import api
from triptych.cli.measure import Json, Out
from triptych.cli.show import progress

Rows: TypeAlias = Sequence[tuple[str, ...]]


def trace(
    runs: Annotated[
        list[str],
        typer.Argument(help="Runs: CSV, JSONL, JSON, Parquet; a study's folder; lm-eval results or inspect logs."),
    ],
    out: Out = None,
    outcome: Annotated[
        list[str] | None, typer.Option(help="Columns of scores.", show_default="those the runs name")
    ] = None,
    factors: Annotated[
        list[str] | None, typer.Option(help="Columns of what was varied.", show_default="those the runs name")
    ] = None,
    blocks: Annotated[
        list[str] | None, typer.Option(help="Columns of what runs were repeated over: model, data set, seed.")
    ] = None,
    covariates: Annotated[list[str] | None, typer.Option(help="Columns to partial out: tokens, length.")] = None,
    bakeoff: Annotated[bool, typer.Option("--bakeoff", help="Which measure predicts the outcomes, held out?")] = False,
    candidates: Annotated[
        list[str] | None,
        typer.Option(help="Columns of measures, for the bake-off.", show_default="those the runs name"),
    ] = None,
    in_distribution: Annotated[
        list[str] | None, typer.Option("--id", help="Outcomes in distribution.", show_default="id, id-..")
    ] = None,
    about: Annotated[
        str | None, typer.Option(help="A table that says more of the runs, joined by name.", metavar="FILE")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Column that names runs.", show_default="run, run_id")] = None,
    arm: Annotated[str | None, typer.Option(help="Column of the data condition.", show_default="arm")] = None,
    margin: Annotated[float | None, typer.Option(help="Smallest effect worth having, in units of the outcome.")] = None,
    interactions: Annotated[bool, typer.Option(help="Estimate products of factors.")] = True,
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    bootstrap: Annotated[int, typer.Option(help="Draws.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Find what moved the scores of finished runs, from any table of runs or from result files."""
    folder = out or Path("triptych-out") / "trace"
    document = api.trace(
        *runs,
        out=folder,
        progress=progress(),
        outcome=_columns(outcome),
        factors=_columns(factors),
        blocks=_columns(blocks),
        covariates=_columns(covariates),
        candidates=_columns(candidates),
        panels_id=_columns(in_distribution),
        about=about,
        run=run,
        arm=arm,
        margin=margin,
        bakeoff=bakeoff,
        interactions=interactions,
        level=level,
        bootstrap=bootstrap,
        seed=seed,
    )
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
        return
    _show(document, Console())
    typer.echo(f"\nreport: {folder / 'report.html'}")


def _columns(given: list[str] | None) -> tuple[str, ...]:
    """Names from comma-separated or repeated options; the parameters of a measure (`vendi:q=2,on=prompt`) stay with it."""
    names: list[str] = []
    for text in given or []:
        before = len(names)
        for piece in (part.strip() for part in text.split(",")):
            if len(names) > before and ":" in names[-1] and "=" in piece and ":" not in piece:
                names[-1] += f",{piece}"
            elif piece:
                names.append(piece)
    return tuple(names)


def _show(document: dict[str, Any], console: Console) -> None:
    runs = document["runs"]
    console.print(f"{runs['analysed']} of {runs['total']} runs analysed, {len(runs['failed'])} failed", highlight=False)
    effects = [entry for entry in document["effects"] if ":" not in entry["factor"]]
    rows: Rows = [
        (e["factor"], e["panel"], _interval(e, "estimate", "lo", "hi"), e["unit"], e["verdict"]) for e in effects
    ]
    _table(console, "effects", ("factor", "panel", "effect", "unit", "verdict"), rows)
    shares = [entry for entry in document["shares"] if "alone" in entry]
    rows = [(s["term"], s["panel"], f"{s['alone']:.3f}", _interval(s, "partial_r2", "lo", "hi")) for s in shares]
    _table(console, "shares of variance", ("term", "panel", "alone", "partial R²"), rows)
    rows = [(a["between"], a["over"], a["panel"], _interval(a, "estimate", "lo", "hi")) for a in document["agreement"]]
    _table(console, "agreement of rankings", ("between", "of", "panel", "mean Spearman"), rows)
    if document["bakeoff"]:
        entries = document["bakeoff"]["entries"]
        rows = [(e["panel"], e["candidate"], *_gain(e), e["verdict"]) for e in entries]
        _table(console, "bake-off", ("panel", "measure", "gain in R², held out", "best", "verdict"), rows)
    for warning in document["warnings"]:
        console.print(f"! {warning['text']}", highlight=False, markup=False, soft_wrap=True)


def _gain(entry: dict[str, Any]) -> tuple[str, str]:
    if entry["gain"] is None:
        return entry["undefined"], ""
    return _interval(entry, "gain", "lo_joint", "hi_joint"), f"{entry['p_best']:.2f}"


def _interval(entry: dict[str, Any], value: str, low: str, high: str) -> str:
    if entry.get(value) is None:
        return str(entry.get("undefined") or "")
    ends = f" ({entry[low]:.3g} to {entry[high]:.3g})" if entry.get(low) is not None else ""
    return f"{entry[value]:.3g}{ends}"


def _table(console: Console, title: str, heads: tuple[str, ...], rows: Rows) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)
