"""Do the three findings of arXiv 2412.02980 come out, from nothing? Writes results/findings.json and docs/findings.md.

    python benchmarks/findings.py            both worlds, 5 blocks: some 20 minutes on two idle cores
    python benchmarks/findings.py --quick    3 blocks of one world; nothing is written
    python benchmarks/findings.py --table    docs/findings.md again from the result file

Each world is one call of `triptych study --preset findings`, timed as a whole: making the data, measuring every arm, every
training, every score, the analysis and the page. All effects on all panels are kept, whatever they say.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness import RESULTS, packages, save, watch

PAGE = Path(__file__).parent.parent / "docs" / "findings.md"
WORLDS = {"programs": 600, "rewriting": 600}
"""World to the most seconds it may take: ten minutes the first, twenty both."""

KEEP = (
    "factor",
    "panel",
    "family",
    "kind",
    "estimate",
    "lo",
    "hi",
    "p",
    "p_adjusted",
    "sd_units",
    "verdict",
    "undefined",
)

HEAD = """# What quality, diversity and complexity did

Written by `python benchmarks/findings.py` from [its result file](../benchmarks/results/findings.json); run it yourself
with `make findings`. Nothing is left out: every effect on every panel stands here as it came out.

Each world is a full 2 × 2 × 2 factorial with a centre point, in five blocks: every block has its own order of skills, its
own draw of data, its own start of the weights and its own test items, and trains on all nine arms. Quality (Q) is the share
of right answers, .5 against 1. Diversity (D) is the number of skills at each depth, 8 against 48. Complexity (C) is the
share of tasks that compose three operations rather than two. The model is a transformer of some 55,000 parameters, trained
from scratch.

The panel `id` has new inputs for the skills that every arm trains on; `compositions` has skills that no arm trains on;
`deeper` composes one operation more than any arm; `longer` has longer inputs; `paraphrase` has the skills of `id` in
wordings that no arm trains on. An effect is the score at the high level minus the score at the low level, exact match, with
its 95 % interval over blocks; ↑ and ↓ stand where it is found after Holm's correction over all effects of its family and is
not shown to be smaller than .05. A panel where the models can do nothing, or everything, tells nothing and says so.
"""


def main() -> None:
    if "--table" in sys.argv:
        write(json.loads((RESULTS / "findings.json").read_text(encoding="utf-8")))
        return
    quick = "--quick" in sys.argv
    rows = [run(world, 3 if quick else 5, most) for world, most in list(WORLDS.items())[: 1 if quick else None]]
    save("findings", {"packages_used": packages(("torch", "statsmodels")), "worlds": rows}, quick)
    if not quick:
        write(json.loads((RESULTS / "findings.json").read_text(encoding="utf-8")))


def run(world: str, blocks: int, most: int) -> dict[str, Any]:
    """One world, from nothing to the page."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "study",
            "--preset",
            "findings",
            "--worlds",
            world,
            "--blocks",
            str(blocks),
            "--no-cache",
            "-o",
            folder,
        ]
        used = watch([sys.executable, "-m", "triptych.cli", *words], 4 * most)
        document = json.loads((Path(folder) / "study.json").read_text(encoding="utf-8"))
    parts = document.get("parts", [document])
    row = {"world": world, "blocks": blocks, **used.row(), "seconds_asked": most, "met": used.wall <= most}
    print(row, flush=True)
    return {**row, "stages": used.stages, "title": document["title"], "parts": [part_of(part) for part in parts]}


def part_of(part: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one design."""
    kept = {key: part[key] for key in ("title", "panels", "conclusions", "warnings", "balance", "power") if key in part}
    kept |= {name: [trim(entry) for entry in part[name]] for name in ("effects", "contrasts")}
    best = [e for e in (part.get("bakeoff") or {}).get("entries", []) if (e.get("rank") or 99) <= 3]
    return kept | {
        "runs": {key: part["runs"][key] for key in ("total", "done", "failed", "seconds", "trainer")},
        "design": part["design"],
        "cells": part["cells"],
        "tradeoff": part.get("tradeoff"),
        "bakeoff": [{k: e.get(k) for k in ("panel", "candidate", "gain", "lo", "hi", "rank", "p_best", "verdict")} for e in best],
    }  # fmt: skip


def trim(entry: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: entry.get(key) for key in (*KEEP, "name")}
    return {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in wanted.items()
        if value is not None
    }


def write(result: dict[str, Any]) -> None:
    """The page."""
    m = result["machine"]
    lines = [HEAD, f"{result['date']}, commit {str(result['commit'])[:12]}, {m['cpu']}, {m['cores']} cores.", ""]
    for world in result["worlds"]:
        lines += [f"## {world['title'][0].upper()}{world['title'][1:]}", ""]
        said = "within" if world["met"] else "**over**"
        lines += [f"{world['wall_seconds']:.0f} s from nothing, {said} the {world['seconds_asked']} s asked.", ""]
        for part in world["parts"]:
            lines += list(section(part, several=len(world["parts"]) > 1))
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(f"written: {PAGE}")


def section(part: dict[str, Any], *, several: bool) -> Iterator[str]:
    if several:
        yield from (f"### {part['title'][0].upper()}{part['title'][1:]}", "")
    reached = part["design"]["factors"]["D"].get("reached")
    skills = ", ".join(f"{value:.0f}" for value in reached)
    said = (
        f"{part['runs']['done']} of {part['runs']['total']} runs. Effective number of skills at low, centre and high D:"
    )
    yield from (f"{said} {skills}.", "")
    yield from table(("panel", "mean score", "Q", "D", "C"), panel_rows(part))
    shown = [e for e in part["effects"] if e["family"] == "interactions" and not e.get("undefined")]
    if shown:
        yield "Interactions:"
        yield ""
        yield from table(("panel", *(dict.fromkeys(e["factor"] for e in shown))), grid(shown))
    contrasts = [c for c in part["contrasts"] if not c.get("undefined") and c.get("estimate") is not None]
    yield from ("What a factor does out of distribution beyond what it does in distribution:", "")
    yield from table(("contrast", "difference", "verdict"), [(c["name"], number(c), c["verdict"]) for c in contrasts])
    if part.get("tradeoff"):
        yield from tradeoff(part["tradeoff"])


def tradeoff(found: dict[str, Any]) -> Iterator[str]:
    yield f"Quality against diversity. {found['text']}"
    yield ""
    rows = [
        (f"{p['temperature']:g}", f"{p['valid']:.2f}", f"{p['quality']:.3f} [{p['quality_lo']:.3f}, {p['quality_hi']:.3f}]",
         f"{p['diversity']:.1f} [{p['diversity_lo']:.1f}, {p['diversity_hi']:.1f}]")
        for p in found["points"]
    ]  # fmt: skip
    yield from table(("temperature", "well formed", "right", "effective skills"), rows)


def panel_rows(part: dict[str, Any]) -> Iterator[Sequence[str]]:
    for panel in part["panels"]:
        name = panel["name"]
        if panel["undefined"]:
            yield (f"`{name}`", f"undefined: {panel['undefined']}", "", "", "")
            continue
        mine = {e["factor"]: e for e in part["effects"] if e["panel"] == name and e["kind"] == "designed"}
        yield (f"`{name}`", f"{panel['mean']:.3f}", *(number(mine[factor]) for factor in "QDC"))


def grid(effects: Sequence[dict[str, Any]]) -> Iterator[Sequence[str]]:
    factors = list(dict.fromkeys(e["factor"] for e in effects))
    for panel in dict.fromkeys(e["panel"] for e in effects):
        mine = {e["factor"]: e for e in effects if e["panel"] == panel}
        yield (f"`{panel}`", *(number(mine[f]) if f in mine else "" for f in factors))


def number(e: dict[str, Any]) -> str:
    if e.get("undefined") or e.get("estimate") is None:
        return "undefined"
    clear = {"raises": "↑ ", "lowers": "↓ "}.get(e["verdict"], "")
    return f"{clear}{e['estimate']:+.3f} [{e['lo']:+.3f}, {e['hi']:+.3f}]"


def table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(row) + " |"
    yield ""


if __name__ == "__main__":
    main()
