"""The trade-off of quality and diversity on real pools, as pages show it. Writes docs/tradeoff.md and docs/img/*.svg.

    python benchmarks/tradeoff.py                     from results/frontiers/*.json, which selection_frontiers.py writes
    python benchmarks/tradeoff.py --from FOLDER --to FOLDER

The data themselves are not here; every number of the page is read from these documents, none is typed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import RESULTS

from triptych.report import frontier_answers, frontier_svg, typicality_svg

DOCS = Path(__file__).parent.parent / "docs"
POOLS = {
    "gsm8k": ("Solutions of grade-school problems", "Answers of models to gsm8k problems; quality is whether the answer is right."),
    "libre": ("Self-instruct with its rejects", "Instructions that a model wrote; quality is whether their makers accepted the record."),
    "programs": ("Operations on lists", "A noisy, skewed pool of a world with known truth; quality is whether the answer is right."),
    "rewriting": ("Rewriting of text", "A noisy, skewed pool of a world with known truth; quality is whether the answer is right."),
}  # fmt: skip
HEAD = """# The trade-off between quality and diversity

Written by `python benchmarks/tradeoff.py` from the documents that `triptych frontier` made
([benchmarks/results/frontiers](../benchmarks/results/frontiers)); every number here is read from them.

**One record, as a rule, cannot have both.** A specification ("a solved problem in this format", "an instruction that a person might
give") is learnt from its typical cases. The farther a record lies from them, the less there is to say that it still
complies, and the more often it does not: it is wrong, malformed, or about something else. Take only what surely complies
and you take the middle; take what is far and you take errors with it.

**A set can.** Diversity belongs to a set: a few far records that do comply, beside many typical ones, span more than either
alone. Which records these are is a question of selection under a budget, and the frontier is its answer: the best quality
that any policy found at each diversity, and what the next step costs. What is left on it, no policy here could have for
free.

For each pool below: how compliance goes with typicality, record by record; then the frontier of all policies under one
budget. Diversity is judged by something that no policy selected with. Crosses and bars are 95 % intervals; where the
interval of a difference holds zero, the page says "cannot tell". Where a pool does not follow the rule, the page says so.
"""
FOOT = """## See it on your own data

    triptych frontier DATA --budget 1000 --quality FIELD --pick knee

writes `frontier.json`, `report.html` with these drawings and the price of every step, and the selection at the knee.

## From the generating side

The same trade-off stands before the data are there: a writer that is told to vary more also errs more. For a recipe it is
read by turning one of its dials, at equal numbers of records, with runs of each setting:

    triptych attribute RECIPE.toml --vary writer.temperature=0.3,0.7,1.1,1.5 --replicates 3 -o heat

In the example whose truth is known, heat from .5 to 1.5 gives diversity and takes quality, both beyond their intervals, and a filter
behind it takes back what heat cost: [docs/attribute.md](attribute.md).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Write docs/tradeoff.md and its drawings.")
    parser.add_argument("--from", dest="source", type=Path, default=RESULTS / "frontiers")
    parser.add_argument("--to", dest="target", type=Path, default=DOCS)
    asked = parser.parse_args()
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(asked.source.glob("*.json"))}
    if not found:
        parser.error(f"no frontier documents in {asked.source}: run benchmarks/selection_frontiers.py first")
    order = [*(name for name in POOLS if name in found), *(name for name in found if name not in POOLS)]
    (asked.target / "img").mkdir(parents=True, exist_ok=True)
    lines = [HEAD]
    for name in order:
        lines += section(name, found[name], asked.target)
    page = asked.target / "tradeoff.md"
    page.write_text("\n".join([*lines, FOOT]), encoding="utf-8")
    print(f"written: {page}")


def section(name: str, document: Mapping[str, Any], target: Path) -> Iterator[str]:
    """One pool: the record's trade-off, then the set's."""
    title, about = POOLS.get(name, (name, ""))
    answers = dict(frontier_answers(document))
    yield from (f"## {title}", "", " ".join([about, *answers.pop("Asked")]).strip(), "")
    record = answers.pop("One record", ())
    drawing = typicality_svg(document)
    yield from ("### One record", "", *(f"{text}\n" for text in record))
    if drawing:
        (target / "img" / f"typicality_{name}.svg").write_text(drawing, encoding="utf-8")
        yield from (f"![Compliance by typicality: {title}](img/typicality_{name}.svg)", "")
        yield from deciles(document["typicality"])
    (target / "img" / f"frontier_{name}.svg").write_text(frontier_svg(document), encoding="utf-8")
    yield from ("### The set", "", f"![Quality against diversity: {title}](img/frontier_{name}.svg)", "")
    answers.pop("What was picked", None)
    for head, lines in answers.items():
        yield from (f"**{head}.** {' '.join(lines)}", "")


def deciles(found: Mapping[str, Any]) -> Iterator[str]:
    """The numbers behind the drawing of one record's trade-off."""
    yield from table(
        ("tenth of the pool, least typical first", "records", "typicality", "compliance"),
        (
            (str(row["decile"]), f"{row['records']:,}", f"{row['typicality']:.3f}", shown(row["compliance"]))
            for row in found["deciles"]
        ),
    )


def shown(found: Mapping[str, Any]) -> str:
    """A reading with its interval, or the reason why it has none."""
    if found["value"] is None:
        return f"undefined: {found.get('reason')}"
    ends = "" if found["lo"] is None else f" [{found['lo']:.3f}, {found['hi']:.3f}]"
    return f"{found['value']:.3f}{ends}"


def table(heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}")
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


if __name__ == "__main__":
    main()
