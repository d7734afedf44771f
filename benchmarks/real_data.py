"""What the measures say about real sets whose order is known. `python benchmarks/real_data.py [--quick]`

1. One pool after de-duplication only and after similarity filters .9 .. .6: diversity at an equal number of records, random
   draws, must rise along the ladder. All diversity measures are shown, those that do not rise too.
2. Self-instruct with the rejected rows kept: validity and duplicates of rejected and accepted rows.
3. Instructions with 0..5 added constraints: constraints by level.
4. Six systems and people on the same problems: mean of the label by system.
5. Every set loads by detection alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import data_folder, save

import triptych
from triptych.core.measure import Measure
from triptych.core.reading import read
from triptych.core.registry import measures, parse
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.cache import ColumnCache
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.fold import Selected, fold
from triptych.engines.grouping import NEEDS, group_records
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import scan
from triptych.profiling.panel import plan
from triptych.profiling.settings import Settings

LADDER = ("dedupe-only", "similarity-0.9", "similarity-0.8", "similarity-0.7", "similarity-0.6")
AT_LEAST = 3


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


class Draws:
    """Values of measures on random rows of a data set: features once, a fold for each draw."""

    def __init__(self, path: Path, value: str, wanted: Sequence[Measure], cache: Path, engine: LocalEngine) -> None:
        settings = Settings.of()
        self.measures, self.engine = wanted, engine
        columns = [need for measure in wanted for need in measure.statistic().needs]
        self.work = work_for([*columns, *NEEDS, "defects@response", "defects@prompt"], Instruments.named())
        dataset = open_dataset(str(path), settings.reading(("subset", value)))
        self.store = scan(dataset, self.work.features, ColumnCache(cache), engine, Progress())
        self.keys = group_records(self.store, dataset.layout).keys

    def values(self, n: int, *labels: str | int) -> dict[str, float | None]:
        rows = np.sort(stream(*labels).choice(len(self.store), n, replace=False))
        selected = Selected(self.store, self.keys, rows)
        statistics = [measure.statistic() for measure in self.measures]
        folded = fold(selected, statistics, self.work.relations, self.engine, Progress())
        return {m.label: read(m, folded[m.statistic().spec.hash]).value for m in self.measures}


def panel(path: Path) -> list[Measure]:
    """The diversity measures of the default panel, on the responses, and the same on the prompts."""
    layout = open_dataset(str(path)).layout
    own = [measure for measure in plan(Settings.of(), layout).measures if measure.about.axis == "diversity"]
    own = [measure for measure in own if not measure.about.name.startswith("per_prompt")]
    labels = [measure.label for measure in own if getattr(measure, "on", None) == "response"]
    return own + parse([label + (",on=prompt" if ":" in label else ":on=prompt") for label in labels])


def ladder(folder: Path, quick: bool) -> dict[str, Any]:
    """Mean over the draws by step, and which measures rise at every step."""
    path, n, draws = folder / "gpteacher_toolformer_dedup_ladder.jsonl.gz", 500 if quick else 2000, 1 if quick else 8
    wanted = parse(["distinct_n:n=3"]) if quick else panel(path)
    steps = (LADDER[0], LADDER[-1]) if quick else LADDER
    found: dict[str, list[list[float | None]]] = {measure.label: [] for measure in wanted}
    sizes = {}
    with tempfile.TemporaryDirectory() as cache, LocalEngine(1) as engine:
        for step in steps:
            drawn = Draws(path, step, wanted, Path(cache), engine)
            sizes[step] = len(drawn.store)
            several = [drawn.values(n, "real_data", "ladder", step, number) for number in range(draws)]
            for label, values in found.items():
                values.append([one[label] for one in several])
    rows = [_row(measure, found[measure.label]) for measure in wanted]
    rising = [row["measure"] for row in rows if row["rises"]]
    print(f"ladder at n = {n}: {len(rising)} of {len(rows)} diversity measures rise at every step: {', '.join(rising)}")
    for row in rows:
        print(f"  {row['measure']:44} {'rises' if row['rises'] else '-----'}  {row['values']}")
    return {"n": n, "draws": draws, "rows_by_step": sizes, "rising": len(rising), "met": len(rising) >= AT_LEAST,
            "target": f"at least {AT_LEAST} measures rise at every step", "measures": rows}  # fmt: skip


def _row(measure: Measure, steps: list[list[float | None]]) -> dict[str, Any]:
    """Means and standard deviations over the draws; rising means more diverse at every step."""
    row: dict[str, Any] = {"measure": measure.label, "better": measure.about.better, "unit": measure.about.unit}
    if any(value is None for values in steps for value in values):
        return {**row, "values": None, "rises": False}
    table = np.array(steps, dtype=np.float64)
    means, sign = table.mean(axis=1), -1 if measure.about.better == "lower" else 1
    spread = table.std(axis=1, ddof=1) if table.shape[1] > 1 else np.zeros(len(table))
    deviations = [float(f"{value:.2g}") for value in spread]
    return {**row, "values": [float(f"{value:.5g}") for value in means], "sd_over_draws": deviations,
            "rises": bool(np.all(sign * np.diff(means) > 0))}  # fmt: skip


def shown(estimate: Any) -> dict[str, Any]:
    around = estimate.interval
    numbers = {"value": estimate.value, "lo": around.lo, "hi": around.hi}
    return {key: None if value is None else float(f"{value:.5g}") for key, value in numbers.items()} | {"n": estimate.n}


def rejected(folder: Path, quick: bool) -> dict[str, Any]:
    """Validity and duplicates of rejected against accepted rows at an equal number of rows."""
    rows = list(lines(folder, "alpaca_libre_unfiltered"))
    parts = {
        "accepted": [row for row in rows if row["status"] == "ok"],
        "rejected": [row for row in rows if row["status"] != "ok"],
    }
    n = 300 if quick else min(map(len, parts.values()))
    labels = ["valid_share", *(f"defect_rate:kind={kind}" for kind in ("empty", "truncated", "refusal"))]
    labels += ["exact_duplicate_rate", "near_duplicate_rate"]
    labels += ["near_duplicate_rate:threshold=0.5", "near_duplicate_rate:threshold=0.5,on=prompt"]
    out: dict[str, Any] = {"n": n}
    for name, part in parts.items():
        chosen = sorted(stream("real_data", "rejected", name).choice(len(part), n, replace=False))
        texts = [{key: part[at][key] for key in ("prompt", "response")} for at in chosen]
        (profile,) = triptych.measure(texts, measures=labels, cache=False, workers=1)
        out[name] = {estimate.label: shown(estimate) for estimate in profile.estimates}
    pairs = {label: (out["accepted"][label], out["rejected"][label]) for label in out["accepted"]}
    out["apart"] = [
        label
        for label, (a, b) in pairs.items()
        if None not in (a["lo"], b["lo"]) and (a["hi"] < b["lo"] or b["hi"] < a["lo"])
    ]
    for label, (a, b) in pairs.items():
        print(f"  {label:52} accepted {a}  rejected {b}")
    return out


def by_field(folder: Path, name: str, field: str, wanted: str, label: str) -> dict[str, Any]:
    """One measure for each value of a field, with its interval."""
    profiles = triptych.measure(str(folder / f"{name}.jsonl.gz"), by=field, measures=[wanted], cache=False, workers=1)
    found = {}
    for profile in profiles:
        (estimate,) = [one for one in profile.estimates if one.label == label]
        found[profile.dataset["name"]] = shown(estimate)
    print(name, json.dumps(found))
    return dict(sorted(found.items()))


def detection(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """What detection says of every set: nothing is mapped by hand."""
    out = []
    for path in sorted(folder.glob("*.jsonl.gz"))[: 4 if quick else None]:
        dataset = open_dataset(str(path))
        records = sum(shard.batch.num_rows for shard in dataset.shards())
        skipped = dataset.summary.skipped_total if dataset.summary else None
        out.append({"set": dataset.name, "records": records, "skipped": skipped, "detected": dataset.layout.sentence})
        print(f"  {dataset.name}: {records:,} records; {dataset.layout.sentence}")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small draws; writes no result")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()
    folder = data_folder()
    result: dict[str, Any] = {"measures_known": len(measures())}
    result["ladder"] = ladder(folder, given.quick)
    result["rejected"] = rejected(folder, given.quick)
    levels = by_field(folder, "followbench_levels", "level", "constraints", "constraints")
    means = [levels[name]["value"] for name in sorted(levels)]
    result["constraints_by_level"] = {"levels": levels, "rises": all(a < b for a, b in pairwise(means))}
    models = by_field(folder, "gsm8k_model_solutions", "model", "label_mean:field=correct", "label_mean:field=correct")
    result["label_mean_by_model"] = models
    result["detection"] = detection(folder, given.quick)
    save("real_data", result, given.quick or given.dry)


if __name__ == "__main__":
    main()
