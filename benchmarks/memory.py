"""Does memory grow with the number of records? `python benchmarks/memory.py [--quick] [--sizes 100000,1000000]`

Writes sets of made-up records (about 60 tokens each, words drawn by a power law from a large vocabulary, 5 % copies, half
of them with one word changed) and measures each with `triptych measure`, the default panel and two workers. Memory is
summed over the processes. Needs no data of others.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import save, watch

from triptych.core.rng import stream
from triptych.features.tokens import load_tokenizer

TARGET = 1.3
PIECE = 20_000


def vocabulary() -> np.ndarray[Any, Any]:
    """About 23,000 English words by rank, then 200,000 made-up names."""
    known = sorted(load_tokenizer("wordpiece").get_vocab().items(), key=lambda item: item[1])
    words = [word for word, _ in known if word.isascii() and word.isalpha() and len(word) > 2]
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
    draw = stream("memory", "names")
    parts = draw.integers(0, len(syllables), (200_000, 3))
    names = ["".join(syllables[i] for i in row).capitalize() for row in parts]
    return np.array([*words, *names], dtype=object)


def write(path: Path, records: int) -> None:
    """Write a set of so many records; the first ones of a larger set are those of a smaller one."""
    words = vocabulary()
    weight = 1 / np.arange(10, len(words) + 10) ** 1.05
    ladder = np.cumsum(weight / weight.sum())
    kept: list[tuple[str, str]] = []
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, records, PIECE):
            draw = stream("memory", "records", start)
            sizes = np.clip(draw.lognormal([2.3, 3.3], [0.5, 0.6], (PIECE, 2)).astype(int), 3, 800)
            at = np.searchsorted(ladder, draw.random(sizes.sum())).clip(0, len(words) - 1)
            picked = iter(np.split(words[at], np.cumsum(sizes.reshape(-1))[:-1]))
            copies = draw.random(PIECE)
            for number in range(min(PIECE, records - start)):
                prompt, response = " ".join(next(picked)) + "?", " ".join(next(picked)) + "."
                if copies[number] < 0.05 and kept:
                    prompt, response = kept[int(draw.integers(len(kept)))]
                    response = response.replace(" ", " also ", 1) if copies[number] < 0.025 else response
                elif len(kept) < 50_000:
                    kept.append((prompt, response))
                out.write(json.dumps({"prompt": prompt, "response": response}) + "\n")


def measured(records: int, timeout: float) -> dict[str, Any]:
    """One row: what measuring a set of this size takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write(path, records)
        command = [
            sys.executable,
            "-m",
            "triptych.cli",
            "measure",
            str(path),
            "-o",
            f"{folder}/out",
            "--workers",
            "2",
            "--json",
        ]
        usage = watch(command, timeout, {"TRIPTYCH_CACHE": f"{folder}/cache"})
        said = json.loads(usage.output)
        source = path.stat().st_size
        cache = sum(file.stat().st_size for file in Path(folder, "cache").rglob("*.arrow"))
    row = {"records": records, "tokens": said["dataset"]["tokens"], "source_mb": round(source / 1e6), **usage.row()}
    row["records_per_second"] = round(records / usage.wall)
    row["columns_on_disk_kb_a_record"] = round(cache / 1e3 / records, 2)
    row["stages"] = usage.stages
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two small sets, in less than a minute; writes no result")
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--timeout", type=float, default=1500)
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()
    sizes = [3000, 6000] if given.quick else [int(size) for size in given.sizes.split(",")]
    rows = [measured(size, given.timeout) for size in sizes]
    ratio = round(rows[-1]["peak_memory_mb"] / rows[0]["peak_memory_mb"], 3)
    heap = round(rows[-1]["peak_heap_mb"] / rows[0]["peak_heap_mb"], 3)
    result = {"target_ratio": TARGET, "ratio": ratio, "ratio_heap": heap, "met": ratio <= TARGET, "rows": rows}
    save("memory", result, given.quick or given.dry)


if __name__ == "__main__":
    main()
