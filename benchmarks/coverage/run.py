"""Coverage of the 95 % intervals on known populations: `python benchmarks/coverage/run.py [--repetitions 300]`.

For each population, data sets are drawn anew; for each measure the share of intervals that hold the expectation of the
measure at that n, taken as the mean over these draws and as many more. Populations that are cheap to draw are drawn four
times as often. Writes `result.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from populations import CHEAP, POPULATIONS, WIDE

from triptych.core.batch import Batch
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, everything
from triptych.core.interval import Dealt, interval
from triptych.core.measure import Measure
from triptych.core.registry import parse
from triptych.core.rng import stream
from triptych.core.statistic import Statistic


def folded(measures: list[Measure], population: Any, *labels: str | int) -> tuple[dict[str, Statistic], Dealt | None]:
    """The statistics of one draw, by spec, and what was dealt to the groups: prompts, where these have several records."""
    batch = population.draw(stream("coverage", *labels))
    statistics = {one.statistic().spec.hash: one.statistic() for one in measures}
    for statistic in statistics.values():
        statistic.update(batch)
    return statistics, dealt_prompts(batch)


def dealt_prompts(batch: Batch) -> Dealt | None:
    """How many prompts each group holds, (32,); None where the records have none, and were dealt singly."""
    if "prompt" not in batch.columns:
        return None
    _, first = np.unique(batch.columns["prompt"].to_pylist(), return_index=True)
    return np.bincount(batch.group[first], minlength=GROUPS)


def cover(name: str, repetitions: int, only: str | None = None) -> list[dict[str, Any]]:
    """One row for each measure of a population."""
    population, names = POPULATIONS[name]
    measures = [one for one in parse([names]) if only is None or one.about.name == only]
    found: dict[str, list[tuple[float, float, float, float]]] = {one.label: [] for one in measures}
    more: dict[str, list[float]] = {one.label: [] for one in measures}
    for repetition in range(repetitions * 2):
        statistics, dealt = folded(measures, population, name, repetition)
        for one in measures:
            statistic = statistics[one.statistic().spec.hash]
            value = one.value(statistic, everything())
            if isinstance(value, Undefined):
                raise TypeError(f"{one.label} on {name}: {value.reason}")
            more[one.label].append(value)
            if repetition < repetitions:
                known: dict[bytes, float | Undefined] = {}

                def read(keep: Any, one: Measure = one, statistic: Statistic = statistic, known: Any = known) -> Any:
                    key = keep.tobytes()
                    if key not in known:
                        known[key] = one.value(statistic, keep)
                    return known[key]

                got = interval(read, statistic.records, one.about.interval, one.about.bounds, dealt)
                if got.lo is not None and got.hi is not None and got.se is not None:
                    found[one.label].append((value, got.lo, got.hi, got.se))
    rows = [row(one, name, np.array(found[one.label]), np.array(more[one.label])) for one in measures]
    for each in rows:
        each["no_interval"] = round(1 - each["intervals"] / repetitions, 4)
        if each["coverage"] > 0.98:
            each["wide"] = WIDE.get(name, "the count of 300 draws: the stated error is about right")
    return rows


def row(measure: Measure, population: str, found: Any, values: Any) -> dict[str, Any]:
    """Coverage, width and error of one measure on one population."""
    truth, spread = float(values.mean()), float(values.std(ddof=1))
    below, above = float(np.mean(found[:, 2] < truth)), float(np.mean(found[:, 1] > truth))
    width = float(np.mean(found[:, 2] - found[:, 1]))
    return {
        "measure": measure.label,
        "kind": measure.about.interval,
        "population": population,
        "intervals": len(found),
        "truth": round(truth, 6),
        "coverage": round(1 - below - above, 4),
        "below": round(below, 4),
        "above": round(above, 4),
        "width": round(width, 6),
        "error_ratio": round(float(np.sqrt(np.mean(found[:, 3] ** 2)) / spread), 3) if spread else None,
    }


def main() -> None:
    """Run all populations and write the result beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=300)
    parser.add_argument("--population", action="append")
    parser.add_argument("--measure")
    parser.add_argument("-o", type=Path)
    options = parser.parse_args()
    rows = []
    for name in options.population or POPULATIONS:
        start = time.perf_counter()
        rows += cover(name, options.repetitions * (4 if name in CHEAP else 1), options.measure)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    for each in rows:
        print(
            f"{each['population']:18} {each['measure']:32} {each['kind']:6} truth {each['truth']:<10.4g} "
            f"covered {each['coverage']:.3f} (below {each['below']:.3f}, above {each['above']:.3f})  "
            f"width {each['width']:.4g}  error/true {each['error_ratio']}"
            + (f"  no interval {each['no_interval']:.3f}" if each["no_interval"] else "")
        )
    if options.o:
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        options.o.write_text(json.dumps({"level": 0.95, **versions, "commit": None, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
