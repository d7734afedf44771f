"""`triptych world`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from triptych import api
from triptych.cli.measure import Json, Out
from triptych.core.errors import UsageError, message

Depths = Annotated[
    str | None, typer.Option(help="Shares of the records at each depth.", metavar="1:.2,2:.5,3:.3", show_default="even")
]


def world(
    name: Annotated[str | None, typer.Argument(help="Name of a world; see --list.", show_default=False)] = None,
    out: Out = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the worlds.")] = False,
    records: Annotated[int | None, typer.Option("-n", "--records", metavar="N", show_default="2000")] = None,
    tokens: Annotated[
        int | None, typer.Option(help="As many records as have T words in all, instead of N.", metavar="T")
    ] = None,
    quality: Annotated[float, typer.Option(help="Share of right answers.")] = 1.0,
    skills: Annotated[int, typer.Option(help="Different skills at each depth.", metavar="K")] = 50,
    depths: Depths = None,
    skew: Annotated[float, typer.Option(help="Skills are used in proportion to 1 / rank ** SKEW; 0: evenly.")] = 0.0,
    forms: Annotated[int, typer.Option(help="Surface forms; 0: all that may be trained on.")] = 0,
    errors: Annotated[list[str] | None, typer.Option(help="Kinds of wrong answer.", show_default="all")] = None,
    block: Annotated[str, typer.Option(help="Names the order of the skills.", metavar="LABEL")] = "0",
    seed: Annotated[int, typer.Option(help="Of the draw of data, and of the panels' inputs.")] = 0,
    panels: Annotated[int, typer.Option(help="Items of each test panel; 0: no panels.", metavar="N")] = 200,
    id_skills: Annotated[
        int | None, typer.Option(help="Skills at each depth that panels count as known.", show_default="as --skills")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a data set whose true quality, diversity and complexity are set by hand, with test panels."""
    if list_all:
        _print_list(as_json=as_json)
        return
    if name is None:
        raise UsageError(message("no world is named.", want="triptych world NAME", hint="triptych world --list"))
    folder = out or Path("triptych-out") / "world"
    made = api.world(
        name,
        out=folder,
        records=records,
        tokens=tokens,
        quality=quality,
        skills=skills,
        depths=_shares(depths),
        skew=skew,
        forms=forms,
        errors=tuple(part.strip() for given in errors or () for part in given.split(",")),
        block=block,
        seed=seed,
        panels=panels,
        id_skills=id_skills,
    )
    document = made.to_json()
    if as_json:
        _print_json(document)
        return
    _print_made(document, folder)


def _shares(text: str | None) -> dict[int, float]:
    """Depth to share from `1:.2,2:.5,3:.3`.

    Raises:
        UsageError: another form, or a depth given twice.
    """
    shares: dict[int, float] = {}
    for piece in (text or "").split(",") if text is not None else ():
        depth, colon, share = piece.partition(":")
        try:
            key, value = int(depth), float(share)
        except ValueError:
            colon = ""
        if not colon or key in shares:
            raise UsageError(
                message("--depths is not right.", got=piece, want="depth:share, each depth once", hint="1:.2,2:.5,3:.3")
            )
        shares[key] = value
    return shares


def _print_made(document: dict[str, Any], folder: Path) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("file", no_wrap=True)
    for head in ("records", "words", "right", "skills", "forms"):
        table.add_column(head, justify="right")
    table.add_column("depths", overflow="fold")
    for part in (document["data"], *document["panels"].values()):
        counts = [part["records"], part["tokens"], part["right"], sum(part["skills"].values()), part["forms"]]
        by_depth = " ".join(f"{depth}:{count}" for depth, count in part["depths"].items())
        table.add_row(part["file"], *(f"{count:,}" for count in counts), by_depth)
    console.print(table)
    console.print(f"\nrecipe: {folder / 'world.json'}", highlight=False, markup=False, soft_wrap=True)


def _print_list(*, as_json: bool) -> None:
    worlds = api.list_worlds()
    if as_json:
        _print_json(worlds)
        return
    console = Console()
    for entry in worlds:
        console.print(f"{entry['name']}: {entry['title']}", highlight=False, markup=False)
        for line in _about(entry):
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
        console.print()


def _about(entry: dict[str, Any]) -> list[str]:
    if entry["skills"] is None:
        return [f"not installed: pip install 'triptych[{entry['extra']}]'"]
    skills = ", ".join(
        f"{count:,} of depth {depth}" + ("" if int(depth) in entry["depths"] else " (never trained)")
        for depth, count in entry["skills"].items()
    )
    return [
        f"skills: {skills}; held out: {sum(entry['held_out'].values()):,}",
        f"forms:  {entry['forms']}, held out: {entry['held_forms']}",
        f"errors: {', '.join(entry['errors'])}",
        f"panels: {', '.join(entry['panels'])}",
        *([f"extra:  {entry['extra']}"] if entry["extra"] else []),
    ]


def _print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
