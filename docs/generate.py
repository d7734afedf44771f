"""Writes the generated pages, docs/catalog.md, docs/cli.md and docs/papers.md. With --check it writes nothing and exits 1 on a drift."""

from __future__ import annotations

import difflib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

sys.path.insert(0, str(Path(__file__).parent))
from papers import cited, conflicts, papers

import triptych
from triptych import api
from triptych.cli.app import app
from triptych.core.measure import AXES

HOME = Path(__file__).parent
COVERAGE = json.loads((HOME.parent / "benchmarks" / "coverage" / "result.json").read_text(encoding="utf-8"))
VALIDITY = json.loads((HOME.parent / "benchmarks" / "validity" / "result.json").read_text(encoding="utf-8"))
SOURCE = Path(triptych.__file__).parent
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
                lines += list(validity(entry["name"], VALIDITY))
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


def validity(name: str, result: Mapping[str, Any]) -> Iterator[str]:
    """What the measure was seen to see, and what misleads it: a line for each parameter set that was read."""
    said = {label: parts for label, parts in result["verdicts"].items() if label.partition(":")[0] == name}
    yield ""
    if not said:
        reason = result["left_out"].get(name)
        yield "Validity: not measured" + (f" ({reason})." if reason else " yet.")
        return
    yield "Validity measured ([how](../benchmarks/validity/README.md)):"
    yield ""
    for label, parts in said.items():
        told = "; ".join(f"*{kind}* {', '.join(names)}" for kind, names in parts.items())
        few = result.get("few", {}).get(label)
        on = f" ({few} a set, one replicate)" if few else ""
        yield f"- `{label}`{on}: {told or 'no value on any of the populations'}."


def page_of_papers() -> str:
    """Every work that the source cites, and where."""
    return papers(SOURCE, NOTE)


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


PAGES = {"catalog.md": catalog, "cli.md": reference, "papers.md": page_of_papers}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; a paper cited under two authors is told and is a drift too."""
    wrong = conflicts(cited(SOURCE)[0])
    print("\n".join(wrong), end="\n" if wrong else "")
    drift = bool(wrong)
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
