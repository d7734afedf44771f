"""Writes the generated pages, docs/catalog.md and docs/cli.md. With --check it writes nothing and exits 1 on a drift."""

from __future__ import annotations

import difflib
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from triptych import api
from triptych.cli.app import app
from triptych.core.measure import AXES

HOME = Path(__file__).parent
COVERAGE = json.loads((HOME.parent / "benchmarks" / "coverage" / "result.json").read_text(encoding="utf-8"))
NOTE = "<!-- Written by docs/generate.py (`make docs`). Do not edit. -->"


def catalog() -> str:
    """One section for each measure, by axis, then one for each policy."""
    entries, policies = api.list_measures(), api.list_selectors()
    count = f"{len(entries)} measures and {len(policies)} policies. The same text: `triptych explain NAME`."
    lines = ["# All measures and policies", "", NOTE, "", count, ""]
    for axis in AXES:
        names = [entry["name"] for entry in entries if entry["axis"] == axis]
        lines += [f"- {axis}: " + ", ".join(f"[{name}](#{name})" for name in names)]
    lines += ["- policies: " + ", ".join(f"[{entry['name']}](#{entry['name']})" for entry in policies)]
    for axis in AXES:
        lines += ["", f"## {axis.capitalize()}"]
        for entry in entries:
            if entry["axis"] == axis:
                lines += ["", f"### {entry['name']}", "", "```text", api.explain(entry["name"]), "```"]
                lines += list(_coverage(entry["name"]))
    lines += ["", "## Policies"]
    for entry in policies:
        lines += ["", f"### {entry['name']}", "", "```text", api.explain(entry["name"]), "```"]
    return "\n".join(lines) + "\n"


def _coverage(name: str) -> Iterator[str]:
    """How often the 95 % interval held the truth on populations where it is known, and why it is wide where it is."""
    rows = [row for row in COVERAGE["rows"] if row["measure"].partition(":")[0] == name]
    if not rows:
        return
    found = [row["coverage"] for row in rows]
    span = f"{min(found):.3f}" if min(found) == max(found) else f"{min(found):.3f} to {max(found):.3f}"
    yield ""
    yield f"Interval measured: coverage {span} at 95 % on {len({row['population'] for row in rows})} known populations."
    for reason in dict.fromkeys(row["wide"] for row in rows if row.get("wide")):
        where = ", ".join(row["population"] for row in rows if row.get("wide") == reason)
        yield f"Above .98 on {where}: {reason}."


def reference() -> str:
    """One section for each command, with its arguments and options."""
    group: Any = typer.main.get_command(app)
    lines = ["# All commands", "", NOTE, ""]
    lines += ["Exit codes: 0 done, 1 a verdict against, 2 bad input or usage, 130 interrupted."]
    for name, command in group.commands.items():
        summary = " ".join(inspect.cleandoc(command.help or "").split())
        lines += ["", f"## triptych {name}", "", summary, ""]
        lines += [f"- {line}" for line in _parameters(command)]
    return "\n".join(lines) + "\n"


def _parameters(command: Any) -> Iterator[str]:
    for param in command.params:
        if param.param_type_name == "argument":
            yield f"`{param.name.upper()}`: {param.help or ''}".rstrip(": ")
            continue
        shown = getattr(param, "show_default", None)
        default = shown if isinstance(shown, str) else param.default
        plain = default is None or default is False or callable(default) or default == []
        text = f"{', '.join(f'`{option}`' for option in param.opts)}: {param.help or ''}".rstrip(": ")
        yield text if plain else f"{text} Default: {default}."


PAGES = {"catalog.md": catalog, "cli.md": reference}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    drift = False
    for name, make in PAGES.items():
        path, page = HOME / name, make()
        held = path.read_text(encoding="utf-8") if path.exists() else ""
        if page == held:
            continue
        if "--check" in arguments:
            drift = True
            difference = difflib.unified_diff(
                held.splitlines(), page.splitlines(), f"docs/{name}", "made now", lineterm="", n=1
            )
            print("\n".join(list(difference)[:40]))
            print(f"docs/{name} is out of date: run `make docs`")
        else:
            path.write_text(page, encoding="utf-8")
            print(f"wrote docs/{name}")
    return int(drift)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
