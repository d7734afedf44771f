"""What a sample of dear values gains from vectors and lengths of all records. `python benchmarks/powered.py [--quick]`

Values that are known for every record of a real set stand in for dear ones: whether a solution is right, the reading grade of a
response, its lexical diversity. Again and again 5,000 records are drawn from the set, some of them at random are asked
about, and the mean is told with its interval: plain, and powered (`triptych.statistics.powered`). Told: the share of 95 %
intervals that hold the mean of the set, and the share of calls saved: what a plain sample of the same error would have asked more.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from harness import data_folder, save

import triptych
from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, everything
from triptych.core.interval import interval
from triptych.core.rng import stream
from triptych.statistics.powered import PoweredMean

COLUMN = "judge.quality"
CASES = (
    ("gsm8k_model_solutions", "label.correct", "whether a solution is right"),
    ("alpaca_cleaned_52k", "readability_grade@response", "reading grade"),
    ("alpaca_cleaned_52k", "lexical_diversity@response", "lexical diversity"),
)
MEASURES = ("vendi:q=2", "readability_grade", "lexical_diversity")
ASKED, RECORDS, TRIALS = (200, 500, 1000), 5000, 100


def table(folder: Path, name: str, place: Path) -> pa.Table:
    """Features of a set."""
    measures = (*MEASURES, "label_mean:field=correct") if name.startswith("gsm8k") else MEASURES
    triptych.measure(str(folder / f"{name}.jsonl.gz"), out=place / name, measures=measures)
    return pq.read_table(place / name / "features.parquet")


def trials(features: pa.Table, column: str, asked: int, number: int) -> dict[str, Any]:
    """Coverage and error of both means."""
    y = features[column].to_numpy(zero_copy_only=False).astype(float)
    there = np.flatnonzero(np.isfinite(y))
    vectors = np.stack(features["embedding@response"].to_numpy(zero_copy_only=False)).astype(np.float32)
    length = features["length@response"].to_numpy(zero_copy_only=False)
    truth, found = float(y[there].mean()), {"plain": [], "powered": []}
    for trial in range(number):
        draw = stream("powered", column, asked, trial)
        rows = draw.choice(there, min(RECORDS, len(there) // 2), replace=False)
        sampled = np.zeros(len(rows), dtype=bool)
        sampled[draw.choice(len(rows), asked, replace=False)] = True
        group, address = draw.integers(0, GROUPS, len(rows)).astype(np.uint8), draw.integers(0, 1 << 62, len(rows))
        told = pa.array(np.where(sampled, y[rows], np.nan), from_pandas=True)
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors[rows].reshape(-1)), vectors.shape[1])
        columns = {COLUMN: told, "embedding@response": flat, "length@response": pa.array(length[rows])}
        for kind, mine in (("plain", sampled), ("powered", np.ones(len(rows), dtype=bool))):
            statistic = PoweredMean(COLUMN)  # where all its records have a value, its mean is the plain one
            statistic.update(Batch(columns, group, address.astype(np.uint64)).take(mine))
            ends = interval(statistic.mean, statistic.records, "plain", (-np.inf, np.inf))
            found[kind].append((statistic.mean(everything()), ends.lo, ends.hi, ends.se))
    out: dict[str, Any] = {"asked": asked, "of": len(rows), "trials": number, "truth": truth}
    for kind, values in found.items():
        value, lo, hi, error = np.array(values).T
        out[kind] = {
            "coverage": float(np.mean((lo <= truth) & (truth <= hi))),
            "bias": float(value.mean() - truth),
            "spread": float(value.std(ddof=1)),
            "error": float(error.mean()),
        }
    out["calls_saved"] = 1 - (out["powered"]["spread"] / out["plain"]["spread"]) ** 2
    return out


def main() -> None:
    quick = "--quick" in sys.argv
    folder, rows, tables = data_folder(), [], {}
    with tempfile.TemporaryDirectory() as place:
        for name, column, what in CASES:
            if name not in tables:
                tables[name] = table(folder, name, Path(place))
            for asked in ASKED[: 1 if quick else None]:
                found = trials(tables[name], column, asked, 10 if quick else TRIALS)
                rows.append({"set": name, "value": what, **found})
                print(json.dumps(rows[-1]), flush=True)
    save("powered", {"rows": rows}, quick)


if __name__ == "__main__":
    main()
