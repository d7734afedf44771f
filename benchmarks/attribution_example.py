"""The examples of `triptych attribute`, packed: `python benchmarks/attribution_example.py FOLDER`.

FOLDER holds what the commands at the top of `examples/attribute/*.toml` wrote: `world/` and, where it was run, `tiny_model/`.
Writes `results/attribution_example.json` and the tables of `docs/attribute.md` between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import harness

PAGE = harness.HERE.parent / "docs" / "attribute.md"
BEGIN, END = "<!-- examples -->", "<!-- end of examples -->"
EXAMPLES = {
    "world": "In a world (`world.toml`): 12 cells, three runs of each, 100 records a run",
    "tiny_model": "With the packaged model (`tiny_model.toml`): 12 cells, one run of each, 24 records a run",
}
AXES = ("quality", "diversity", "complexity")
KEPT = (
    "comparability",
    "design",
    "taxonomy",
    "effects",
    "interactions",
    "costs",
    "scatter",
    "inference",
    "warnings",
    "provenance",
)


def packed(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what its report alone needs."""
    runs = [
        {key: run[key] for key in ("name", "cell", "seed", "used", "kept", "made", "per_record", "measures")}
        for run in document["runs"]
    ]
    return {**{key: document[key] for key in KEPT}, "runs": runs}


def table(document: dict[str, Any]) -> list[str]:
    """The table of components in Markdown."""
    heads = {
        axis: next((line[axis]["label"] for line in document["taxonomy"] if line.get(axis)), "no measure")
        for axis in AXES
    }
    out = [
        "| part | component | "
        + " | ".join(f"{axis} (`{heads[axis]}`)" for axis in AXES)
        + " | tokens written a record |",
        "|---|---|---|---|---|---|",
    ]
    for line in document["taxonomy"]:
        if line["state"] != "varied":
            out.append(f"| {line['part']} | {line['state']}: {line['value']} | | | | |")
            continue
        cells = [cell(line.get(axis)) for axis in AXES]
        cost = line["cost"]
        spent = "–" if not cost or cost["estimate"] is None else f"{cost['estimate']:+.1f}"
        name = f"{line['component']}: {line['level']} against {line['reference']}"
        out.append(f"| {line['part']} | {name} | {' | '.join(cells)} | {spent} |")
    return out


def cell(found: dict[str, Any] | None) -> str:
    """One effect with its interval and verdict."""
    if not found or found["estimate"] is None:
        return "–" if not found else found["undefined"]
    places = (
        1 if max(abs(found["lo"]), abs(found["hi"])) >= 10 else 2 if max(abs(found["lo"]), abs(found["hi"])) >= 1 else 3
    )
    value, lo, hi = (f"{found[key]:+.{places}f}" for key in ("estimate", "lo", "hi"))
    return f"{value} [{lo}, {hi}], {found['verdict']}"


def main() -> None:
    """Both examples."""
    folder = Path(sys.argv[1])
    there = {name: folder / name / "attribution.json" for name in EXAMPLES}
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in there.items() if path.is_file()}
    lines = []
    for name, document in found.items():
        lines += [f"**{EXAMPLES[name]}.**", "", *table(document), "", document["comparability"]["sentence"], ""]
        lines += [f"- {one['text']}" for one in document["warnings"]]
        lines += [""] if document["warnings"] else []
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(lines).rstrip() + "\n\n" + END + after, encoding="utf-8")
    note = "Examples of triptych attribute; the second is what a tiny model does with 24 records a cell, and no more."
    harness.save(
        "attribution_example", {"note": note, **{name: packed(one) for name, one in found.items()}}, quick=False
    )


if __name__ == "__main__":
    main()
