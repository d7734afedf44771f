"""Guard on files: a small loop that eats its own diversity, written as one file a round, then judged.

    python examples/guard/files.py

The same from the command line: triptych guard rounds/ -o out
"""

from __future__ import annotations

import json
from pathlib import Path

import triptych
from triptych.core.rng import stream

OPENINGS = ("Explain", "Describe", "List", "Compare", "Rewrite", "Plan", "Name", "Count")
ENDINGS = (
    "in one line",
    "for a child",
    "with an example",
    "step by step",
    "as a poem",
    "in a table",
    "twice",
    "briefly",
)


def written(kinds: int, number: int) -> list[dict[str, object]]:
    """What the model writes in a round: 200 records of so many kinds of prompt."""
    rng = stream("example", number)
    rows: list[dict[str, object]] = []
    for _ in range(200):
        kind, a, b = (int(rng.integers(high)) for high in (kinds, 100, 100))
        prompt = f"{OPENINGS[kind % 8]} the sum of {a} and {b} {ENDINGS[kind // 8]}."
        rows.append({"prompt": prompt, "response": f"{a} and {b} make {a + b}.", "correct": bool(rng.random() < 0.9)})
    return rows


def main() -> None:
    """Six rounds, each from fewer kinds than the last, and what the guard says."""
    folder = Path("rounds")
    folder.mkdir(exist_ok=True)
    for number, kinds in enumerate((64, 60, 30, 14, 6, 3)):
        lines = [json.dumps(row) + "\n" for row in written(kinds, number)]
        (folder / f"round_{number}.jsonl").write_text("".join(lines), encoding="utf-8")
    document = triptych.guard(folder, out="out")
    for entry in document["rounds"]:
        structures = entry["diversity"]["value"]
        print(f"round {entry['round']}: {structures:5.1f} structures, {entry['state']}, {entry['verdict']}")
    print(*document["reasons"], *document["suggest"], "report: out/report.html", sep="\n")


if __name__ == "__main__":
    main()
