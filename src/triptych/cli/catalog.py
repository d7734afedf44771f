"""`triptych list`, `explain` and `check`."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from triptych import api
from triptych.core.errors import UsageError, message
from triptych.core.measure import AXES, Measure
from triptych.core.selector import Selector


def list_(
    policies: Annotated[
        bool, typer.Option("--policies", help="List the policies of select and frontier, not the measures.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print as JSON on standard output, and nothing else there.")
    ] = False,
) -> None:
    """List all measures, their axis, unit and parameters; or all policies, with what they need."""
    entries = api.list_selectors() if policies else api.list_measures()
    if as_json:
        sys.stdout.write(json.dumps(entries, ensure_ascii=True, allow_nan=False) + "\n")
    elif policies:
        _show("policies", ("name", "parameters", "needs"), map(_policy_row, entries))
    else:
        for axis in AXES:
            rows = [entry for entry in entries if entry["axis"] == axis]
            _show(axis, ("name", "unit", "parameters", "extra"), map(_measure_row, rows))


def _show(title: str, heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    console = Console()
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()


def _measure_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return entry["name"], entry["unit"], _params(entry), entry["extra"] or ""


def _policy_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return entry["name"], _params(entry), ", ".join(entry["needs"])


def _params(entry: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={'none' if value is None else value}" for key, value in entry["params"].items())


def explain(name: Annotated[str, typer.Argument(help="Name of a measure or a policy.")]) -> None:
    """Explain a measure or a policy: formula, source, unit, range, cost, what it is confounded by, its parameters."""
    typer.echo(api.explain(name))


def check(target: Annotated[str, typer.Argument(help="MODULE:CLASS of a measure or a policy.")]) -> None:
    """Check a measure or a policy of your own against all laws; exit 1 when it breaks one."""
    from triptych.core.errors import LawError  # noqa: PLC0415
    from triptych.testing import check_measure, check_selector  # noqa: PLC0415 - only this command needs it

    cls = _load(target)
    try:
        if issubclass(cls, Measure):
            check_measure(cls)
        else:
            check_selector(cls)
    except LawError as error:
        print(f"LawError: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    typer.echo(f"{cls.about.name if issubclass(cls, Measure) else cls.name}: keeps all laws")


def _load(target: str) -> type[Measure | Selector]:
    module, colon, name = target.partition(":")
    if not colon:
        raise UsageError(
            message("what to check is not right.", got=target, want="MODULE:CLASS", hint="mine.measures:Mine")
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            message(f"{target} cannot be loaded.", got=str(error), want="an importable MODULE:CLASS")
        ) from error
    if isinstance(found, type) and issubclass(found, Measure) and hasattr(found, "about"):
        return found
    if isinstance(found, type) and issubclass(found, Selector) and hasattr(found, "name"):
        return found
    what = f"{target} is neither a measure nor a policy."
    raise UsageError(message(what, want="a class decorated with @measure, or a Selector with a name"))
