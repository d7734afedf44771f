"""How often a gate raises a false alarm, and how often it sees what was planted. `python benchmarks/gate.py [--trials N]`

Null: two random samples of one real set are the data and the baseline; 300 records of each, and 300 against 450, where
records are left out in eight draws. All rules are no_worse_than_baseline with the default margin on four or five measures. An
alarm is a gate that fails; `regressed` and `improved` are the verdict's own errors (Holm: at most 5 in 100 together).

Planted: right answers of gsm8k_model_solutions are left out of the data, so that the share of right ones is lower by .1, .2.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from harness import save

from triptych.comparing.gate.judging import judge_rules
from triptych.comparing.gate.parts import part
from triptych.comparing.gate.prepared import Prepared
from triptych.comparing.gate.rules import read_rules
from triptych.comparing.gate.told import told
from triptych.comparing.sides import joined, prepare
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

MEASURES = ("valid_share", "tokens", "distinct_n", "vendi:q=2")
SETS = {"alpaca_libre_unfiltered": None, "gsm8k_model_solutions": "correct"}
SIZES = ((300, 300), (300, 450))
PLANTED = (0.1, 0.2)


def rules_of(label):
    names = [*MEASURES, *([f"label_mean:field={label}"] if label else [])]
    better = {"tokens": {"better": "higher"}}
    return read_rules([{"measure": name, "no_worse_than_baseline": True, **better.get(name, {})} for name in names])


def sample(side, sizes, *labels, label=None, lower=0.0):
    """Two random samples without a prompt in common; in the first, the share of records with the label 1 is `lower`."""
    draw = stream("gate", "null", *labels)
    keys, codes = np.unique(side.prompt, return_inverse=True)
    rows = np.argsort(draw.permutation(len(keys))[codes], kind="stable")

    first, rest = np.split(rows, [len(rows) // 2])
    rest = rest[~np.isin(side.prompt[rest], side.prompt[first])]
    if lower:
        good = side.store.whole(f"label.{label}").to_numpy()[first] == 1
        share = good.mean()
        keep = (share - lower) * (1 - share) / (share * (1 - share + lower))
        first = first[~good | (draw.random(len(first)) < keep)]
    return [part(side, np.sort(chosen[:size])) for chosen, size in zip((first, rest), sizes, strict=True)]


def trials(side, rules, bench, sizes, number, **planted):
    measures = [next(m for m in side.measures if m.label == rule.measure) for rule in rules]
    verdicts, fails = Counter(), 0
    for trial in range(number):
        data, base = sample(side, sizes, trial, **planted)
        first, second = joined((data, base))
        ready = Prepared(tuple(zip(rules, measures, strict=True)), first, data, second, None, {})
        found = judge_rules(ready, bench)
        fails += any(outcome.fails for outcome in found.outcomes)
        verdicts[told(found.changes).verdict] += 1
    return {"trials": number, "fails": fails, **dict(sorted(verdicts.items()))}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=300)
    asked = options.parse_args()
    folder = os.environ.get("TRIPTYCH_DATA")
    if folder is None:
        print("needs the real data: TRIPTYCH_DATA=FOLDER")
        return
    started, rows = time.perf_counter(), {}
    for name, label in SETS.items():
        rules = rules_of(label)
        settings = Settings.of(measures=tuple(rule.measure for rule in rules), workers=1)
        with open_bench(settings, Progress()) as bench:
            side = prepare(open_dataset(str(Path(folder) / f"{name}.jsonl.gz"), settings.reading()), bench)
            cases = [(f"{name}, null, {a} against {b}", (a, b), {}) for a, b in SIZES]
            if label:
                cases += [
                    (f"{name}, {lower} lower, 300 against 300", (300, 300), {"label": label, "lower": lower})
                    for lower in PLANTED
                ]
            for key, sizes, planted in cases:
                rows[key] = trials(side, rules, bench, sizes, asked.trials, **planted)
                print(key, rows[key], flush=True)
    save("gate", {"seconds": round(time.perf_counter() - started), "cases": rows}, quick=False)


if __name__ == "__main__":
    main()
