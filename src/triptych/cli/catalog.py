"""`triptych list`, `explain` and `check`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from triptych import api
from triptych.core.errors import UsageError, message
from triptych.core.measure import AXES, Measure


def list_(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print as JSON on standard output, and nothing else there.")
    ] = False,
) -> None:
    """List all measures, their axis, unit and parameters."""
    entries = api.list_measures()
    if as_json:
        sys.stdout.write(json.dumps(entries, ensure_ascii=True, allow_nan=False) + "\n")
        return
    console = Console()
    for axis in AXES:
        table = Table(title=axis, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for head in ("name", "unit", "parameters", "extra"):
            table.add_column(head, overflow="fold")
        for entry in entries:
            if entry["axis"] == axis:
                params = ", ".join(f"{key}={value}" for key, value in entry["params"].items())
                table.add_row(entry["name"], entry["unit"], params, entry["extra"] or "")
        console.print(table)
        console.print()


def explain(name: Annotated[str, typer.Argument(help="Name of a measure.")]) -> None:
    """Explain a measure: formula, source, unit, range, cost, what it is confounded by."""
    typer.echo(api.explain(name))


def check(target: Annotated[str, typer.Argument(help="MODULE:CLASS of a measure.")]) -> None:
    """Check a measure of your own against all laws; exit 1 when it breaks one."""
    from triptych.core.errors import LawError  # noqa: PLC0415
    from triptych.testing import check_measure  # noqa: PLC0415 - only this command needs it

    cls = _load(target)
    try:
        check_measure(cls)
    except LawError as error:
        print(f"LawError: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    typer.echo(f"{cls.about.name}: keeps all laws")


def _load(target: str) -> type[Measure]:
    module, colon, name = target.partition(":")
    if not colon:
        raise UsageError(
            message("what to check is not right.", got=target, want="MODULE:CLASS", hint="mine.measures:Mine")
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            message(f"{target} cannot be loaded.", got=str(error), want="an importable MODULE:CLASS")
        ) from error
    if not (isinstance(found, type) and issubclass(found, Measure) and hasattr(found, "about")):
        raise UsageError(message(f"{target} is not a measure.", want="a class decorated with @measure"))
    return found
