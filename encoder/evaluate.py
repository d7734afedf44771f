"""Agreement of the shipped encoder with its teacher, on held-out text and on instruction data; writes agreement.json.

    python evaluate.py --work WORK --weights TEACHER_FOLDER [--out agreement.json]

With TRIPTYCH_DATA naming a folder that holds alpaca_cleaned_52k.jsonl.gz (rows with "prompt" and "response"), also on
2,000 of its rows, drawn with a fixed seed, and what a correction fitted on other rows adds. That data is only for this
measurement: nothing was trained or chosen on it.
"""

import argparse
import gzip
import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np
from agreement import agreement
from fit import HELD_SOURCES, Data

from triptych.features.adapt import adapt, corrected, fit
from triptych.features.minilm import MiniLMEncoder
from triptych.features.static_encoder import StaticEncoder

SEED, ROWS = 20261122, 2000
ADAPT_ROWS, RIDGE, RIDGES = (500, 2000, 4000), 1.0, (0.1, 0.3, 1.0, 3.0, 10.0)


def filled(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    """Agreement over the rows that have tokens, and how many have not."""
    kept = np.any(student, axis=1)
    return agreement(student[kept], teacher[kept]) | {"rows": int(kept.sum()), "without_tokens": int((~kept).sum())}


def encode_rows(data: Data, rows: np.ndarray, encoder: StaticEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the encoder and of the teacher for rows of the corpus."""
    pieces = [data.ids[data.offsets[i] : data.offsets[i + 1]] for i in rows]
    vectors = encoder.encode_ids(np.concatenate(pieces), np.cumsum([0, *map(len, pieces)]))
    return vectors, data.vectors[rows].astype(np.float32)


def held_out(work: Path, encoder: StaticEncoder) -> dict[str, object]:
    """On held-out texts of trained sources and of sources never trained on; what a correction adds for one source."""
    data = Data(work, 10**9)
    result: dict[str, object] = {
        "trained_texts": len(data.train),
        "trained_sources": filled(*encode_rows(data, data.near, encoder)),
        "other_sources": filled(*encode_rows(data, data.far, encoder)),
    }
    with (work / "corpus.jsonl").open(encoding="utf-8") as lines:
        source = np.array([json.loads(line)["source"] for line in lines])[data.rows]
    for name in HELD_SOURCES:
        rows = np.random.default_rng(0).permutation(np.flatnonzero((source == name) & (data.lengths >= 4)))
        if len(rows) > 2000:
            x, t = encode_rows(data, rows, encoder)
            table: dict[str, object] = {"before": filled(x[:700], t[:700])}
            for size in (500, len(rows) - 700):
                own = slice(700, 700 + size)
                for ridge in RIDGES:
                    moved = corrected(x[:700], fit(x[own], t[own], ridge))
                    table[f"{size} texts, ridge {ridge}"] = filled(moved, t[:700])
            result[f"adapted to {name}"] = table
    return result


class Kept:
    """A teacher whose vectors are kept on disk, so that another encoder is measured in seconds."""

    identity = MiniLMEncoder.identity

    def __init__(self, teacher: MiniLMEncoder, folder: Path) -> None:
        self.teacher, self.folder = teacher, folder

    def encode(self, texts: list[str]) -> np.ndarray:
        """Unit rows (n, 384)."""
        path = self.folder / f"kept-{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]}.npy"
        if not path.exists():
            np.save(path, self.teacher.encode(texts))
        rows: np.ndarray = np.load(path)
        return rows


def on_instructions(path: Path, encoder: StaticEncoder, teacher: Kept) -> dict[str, object]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    order = np.random.default_rng(SEED).permutation(len(records))
    test, others = order[:ROWS], order[ROWS : ROWS + max(ADAPT_ROWS)]
    result: dict[str, object] = {}
    for name in ("response", "prompt", "both"):
        fields = ("prompt", "response") if name == "both" else (name,)
        texts = ["\n".join(records[i][f] for f in fields) for i in test]
        result[name] = filled(encoder.encode(texts), teacher.encode(texts))
    texts = [records[i]["response"] for i in test]
    started = time.process_time()
    encoder.encode([record["response"] for record in records[:10000]])
    result["texts_per_cpu_second"] = round(10000 / (time.process_time() - started))
    result["adapted"] = adaptation(texts, [records[i]["response"] for i in others], encoder, teacher)
    return result


def adaptation(test: list[str], own: list[str], encoder: StaticEncoder, teacher: Kept) -> dict[str, object]:
    """Agreement on test after a correction fitted on samples of `own`, by sample size."""
    x, target, y, want = encoder.encode(own), teacher.encode(own), encoder.encode(test), teacher.encode(test)
    kept = np.any(x, axis=1)
    table = {
        f"{size} texts, ridge {RIDGE}": filled(
            corrected(y, fit(x[:size][kept[:size]], target[:size][kept[:size]], RIDGE)), want
        )
        for size in ADAPT_ROWS
    }
    own_report = adapt(own[:2000], teacher, encoder)
    return table | {"reported_by_adapt": {"before": vars(own_report.before), "after": vars(own_report.after)}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "agreement.json")
    args = parser.parse_args()
    encoder = StaticEncoder.load()
    report: dict[str, object] = {
        "encoder": encoder.identity,
        "teacher": MiniLMEncoder.identity,
        "held_out": held_out(args.work, encoder),
    }
    if folder := os.environ.get("TRIPTYCH_DATA"):
        path = Path(folder) / "alpaca_cleaned_52k.jsonl.gz"
        report["alpaca_cleaned"] = on_instructions(
            path, encoder, Kept(MiniLMEncoder(args.weights), args.work / "teacher")
        )
        report["alpaca_cleaned_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(args.out.read_text())


if __name__ == "__main__":
    main()
