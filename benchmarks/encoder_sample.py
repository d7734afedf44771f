"""What a sample of dear vectors gains from cheap vectors of all records. `python benchmarks/encoder_sample.py [--quick] [--trials N]`

The dear encoder is MiniLM (`minilm:onnx`), the cheap one `static`, and both have read the 6,000 first responses of a real set,
which are the population: 2,000 records are drawn from it with replacement, 200 of them are asked about, the others make further
samples of 200. Told for each measure: the share of 95 % intervals that hold the mean over 400 fresh draws of 200 records,
of the sample alone and helped (`triptych.core.helped`), bias and mean error against the true spread, and the share of calls
saved: what a sample without help would have asked more for the same error. Measures that need a decomposition a mask have
fewer trials.
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
from numpy.typing import NDArray

import triptych
from triptych.core.batch import Batch
from triptych.core.groups import GROUPS, everything
from triptych.core.helped import Helped
from triptych.core.interval import interval
from triptych.core.measure import Measure
from triptych.core.registry import parse
from triptych.core.rng import stream
from triptych.core.statistic import Statistic

SETS = ("alpaca_cleaned_52k", "gsm8k_model_solutions")
ENCODERS = ("minilm:onnx", "static")
QUICKLY = ("mean_cosine_distance", "vendi:q=2", "knn_distance", "chamfer_distance")
SLOWLY = ("vendi", "log_det", "effective_clusters", "novelsum")
POOL, RECORDS, ASKED, FRESH = 6000, 2000, 200, 400
TRIALS = 300
Rows = NDArray[np.float32]


def vectors(folder: Path, name: str, encoder: str, place: Path, limit: int) -> Rows:
    """Vectors of the first records of a set."""
    out = place / f"{name}-{encoder.partition(':')[0]}"
    triptych.measure(str(folder / f"{name}.jsonl.gz"), out=out, measures="vendi:q=2", encoder=encoder, limit=limit)
    return np.stack(pq.read_table(out / "features.parquet")["embedding@response"].to_numpy(zero_copy_only=False))


def statistic(measure: Measure, rows: Rows, group: NDArray[np.uint8], address: NDArray[np.uint64]) -> Statistic:
    """The statistic of some records."""
    flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
    made = measure.statistic()
    made.update(Batch({"embedding@response": flat}, group, address))
    return made


def fresh(measure: Measure, rows: Rows, draw: np.random.Generator) -> tuple[Statistic, NDArray[np.intp]]:
    """The statistic of a fresh sample."""
    picked = draw.integers(0, len(rows), ASKED)
    group, address = draw.integers(0, GROUPS, ASKED).astype(np.uint8), draw.integers(0, 1 << 62, ASKED)
    return statistic(measure, rows[picked], group, address.astype(np.uint64)), picked


def trial(measure: Measure, dear: Rows, cheap: Rows, draw: np.random.Generator) -> dict[str, tuple[float, ...]]:
    """Value, ends and error of the sample alone and helped."""
    picked = draw.integers(0, len(dear), RECORDS)
    group = draw.integers(0, GROUPS, RECORDS).astype(np.uint8)
    address = draw.integers(0, 1 << 62, RECORDS).astype(np.uint64)
    blocks = [slice(at, at + ASKED) for at in range(0, RECORDS, ASKED)]
    of = [statistic(measure, cheap[picked[b]], group[b], address[b]) for b in blocks]
    asked = statistic(measure, dear[picked[blocks[0]]], group[blocks[0]], address[blocks[0]])
    both = Helped(measure, asked, of[0], tuple(of[1:]))
    slope, kind, bounds = both.slope(), measure.interval_kind(asked), measure.about.bounds
    found = {}
    for name, reading, fitted in (("plain", both.plain, 0), ("helped", both.steadied(slope or 0.0), 1)):
        ends = interval(reading, asked.records, kind, bounds, fitted=fitted)
        found[name] = (reading(everything()), ends.lo, ends.hi, ends.se, slope)
    return found


def trials(name: str, measure: Measure, dear: Rows, cheap: Rows, number: int) -> dict[str, Any]:
    """Coverage, bias and error of both."""
    draw = stream("encoder sample", "truth", name, measure.label)
    truths = [measure.value(fresh(measure, dear, draw)[0], everything()) for _ in range(max(FRESH, number))]
    truth = float(np.mean(truths))
    streams = (stream("encoder sample", name, measure.label, at) for at in range(number))
    found = [trial(measure, dear, cheap, each) for each in streams]
    out: dict[str, Any] = {"set": name, "measure": measure.label, "asked": ASKED, "of": RECORDS, "trials": number}
    out |= {"truth": truth, "truth_error": float(np.std(truths) / len(truths) ** 0.5)}
    for kind in ("plain", "helped"):
        value, lo, hi, error, slope = np.array([each[kind] for each in found], dtype=float).T
        out[kind] = {
            "coverage": float(np.mean((lo <= truth) & (truth <= hi))),
            "bias": float(value.mean() - truth),
            "spread": float(value.std(ddof=1)),
            "error": float(error.mean()),
        }
        out["weight"] = float(slope.mean())
    out["calls_saved"] = 1 - (out["helped"]["spread"] / out["plain"]["spread"]) ** 2
    return out


def main() -> None:
    quick = "--quick" in sys.argv
    words = sys.argv[1:]
    number = 8 if quick else int(words[words.index("--trials") + 1]) if "--trials" in words else TRIALS
    folder, rows = data_folder(), []
    with tempfile.TemporaryDirectory() as place:
        for name in SETS[: 1 if quick else None]:
            dear, cheap = (vectors(folder, name, each, Path(place), 300 if quick else POOL) for each in ENCODERS)
            for label in (*QUICKLY, *SLOWLY):
                (measure,) = parse((label,))
                rows.append(trials(name, measure, dear, cheap, number if label in QUICKLY else number // 3))
                print(json.dumps(rows[-1]), flush=True)
    save("encoder_sample", {"rows": rows}, quick)


if __name__ == "__main__":
    main()
