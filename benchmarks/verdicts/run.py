"""Do verdicts hold? `TRIPTYCH_DATA=FOLDER python benchmarks/verdicts/run.py [--trials 200] [-o result.json]`.

Draws pairs of sets whose true difference is known (`cases.py`), compares them with the product's own code, the whole default
panel, and counts: how often p < .05 where nothing differs, how often a verdict names a set, how the stated error compares
with the true spread, how often a planted difference is found, and whether `needed` records are enough. Trials are kept in
`--work` and not made again unless the code that makes them has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, HALF, LABEL, POOL, Case, dealt, pools, views

import triptych
from triptych.comparing.difference import Difference
from triptych.comparing.reading import Compared, compare_view
from triptych.comparing.sides import Side, prepare
from triptych.comparing.verdict import Judged, judge
from triptych.core.measure import Measure
from triptych.core.registry import parse
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench, open_bench
from triptych.profiling.settings import Settings

ALPHA = 0.05
WIDE, PLANTED = 1.3, 0.4
"""A stated error this many times the true spread is named; this part of the trials is made of cases that differ."""
CODE = (
    "comparing/difference.py",
    "comparing/reading.py",
    "comparing/matching.py",
    "core/interval.py",
    "core/ngrams.py",
    "core/relation.py",
)
FOLDERS = ("measures", "statistics", "relations")
NUMBERS = ("a", "b", "diff", "lo", "hi", "se", "degrees", "p")
POWER = {
    "label +.05": (LABEL, "a", HALF),
    "padded": ("tokens", "b", HALF),
    "halves": ("lexical_diversity", "equivalent", 100),
}
"""What is to be told of a case, and the number of records that is asked how many are needed: with those it is drawn again."""


@dataclass(frozen=True)
class Job:
    """One trial of a case, with n records a side."""

    case: str
    n: int
    trial: int


class Worker:
    """Bench and pools of one process."""

    held: Worker

    def __init__(self, files: dict[str, Path]) -> None:
        self.stack, self.files = ExitStack(), files
        self.bench: Bench = self.stack.enter_context(open_bench(Settings.of(workers=1), Progress()))
        self.sides: dict[str, Side] = {}

    def side(self, name: str) -> Side:
        """The pool of this name."""
        if name not in self.sides:
            self.sides[name] = prepare(open_dataset(self.files[name], self.bench.settings.reading()), self.bench)
        return self.sides[name]


def begin(files: dict[str, Path]) -> None:
    """Set up a process."""
    Worker.held = Worker(files)


def trial(job: Job) -> dict[str, Any]:
    """One trial: for each view, numbers and verdict of every measure."""
    started = time.process_time()
    case, bench = CASES[job.case], Worker.held.bench
    rng = stream("verdicts", job.case, job.n, job.trial)
    salt = np.uint64(rng.integers(2**63))
    sides = dealt(Worker.held.side(case.a), salt), dealt(Worker.held.side(case.b), salt)
    drawn = case.draw(sides, rng, job.n)
    made = {}
    for one in views(case, sides, drawn, job.trial):
        found = judge(compare_view(sides, one, sides[0].measures, bench), {})
        made[one.name] = {each.compared.measure.label: _told(each) for each in found}
    return {"case": job.case, "n": job.n, "trial": job.trial, "seconds": time.process_time() - started, "views": made}


def _told(each: Judged) -> dict[str, Any]:
    found = each.compared.difference
    if found is None:
        return {"undefined": each.compared.undefined}
    numbers = {name: getattr(found, name) for name in NUMBERS}
    return {**numbers, "inner": found.inner, "n": each.compared.n, "adjusted": each.p_adjusted, "verdict": each.verdict}


class Trials:
    """All trials made so far, in a file that is only added to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.made = {Job(one["case"], one["n"], one["trial"]): one for one in map(json.loads, filter(_whole, lines))}

    def run(self, jobs: Iterable[Job], pool: Any) -> None:
        """Make the trials that are missing."""
        missing = [job for job in jobs if job not in self.made]
        with self.path.open("a", encoding="utf-8") as file:
            for done, one in enumerate(pool.imap_unordered(trial, missing), 1):
                self.made[Job(one["case"], one["n"], one["trial"])] = one
                file.write(json.dumps(one) + "\n")
                file.flush()
                if done % 50 == 0 or done == len(missing):
                    print(f"{one['case']}, n = {one['n']}: {done} of {len(missing)}", file=sys.stderr)

    def of(self, case: str, n: int, trials: int) -> list[dict[str, Any]]:
        """The trials of a case, in order."""
        return [self.made[Job(case, n, at)] for at in range(trials)]


def _whole(line: str) -> bool:
    return line.endswith("}")


def code() -> str:
    """Hash of the code that makes a trial."""
    root = Path(triptych.__file__).parent
    files = [root / name for name in CODE]
    files += [path for name in FOLDERS for path in sorted((root / name).rglob("*.py"))]
    files.append(Path(__file__).parent / "cases.py")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def summary(case: Case, trials: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for each measure and view."""
    for view in case.views:
        for label in trials[0]["views"][view]:
            rows = [one["views"][view][label] for one in trials]
            known = [row for row in rows if "undefined" not in row]
            if known:
                yield {"view": view, "measure": label, **_row(known, dict(case.targets).get(label))}


def _row(known: list[dict[str, Any]], better: str | None) -> dict[str, Any]:
    columns = {name: np.array([row[name] for row in known]) for name in (*NUMBERS, "adjusted")}
    verdicts = [row["verdict"] for row in known]
    told = [verdict in ("a", "b") for verdict in verdicts]
    spread, stated = float(columns["diff"].std(ddof=1)), math.sqrt(float(np.mean(columns["se"] ** 2)))
    out: dict[str, Any] = {
        "trials": len(known),
        "a": round(float(columns["a"].mean()), 6),
        "diff": round(float(columns["diff"].mean()), 6),
        "se": round(stated, 6),
        "error_ratio": round(stated / spread, 3) if spread > 0 else None,
        "below_.05": round(float(np.mean(columns["p"] < ALPHA)), 4),
        "after_holm": round(float(np.mean(columns["adjusted"] < ALPHA)), 4),
        "a_or_b": round(float(np.mean(told)), 4),
        "equivalent": round(float(np.mean([verdict == "equivalent" for verdict in verdicts])), 4),
        "holm": round(float(np.median(columns["adjusted"] / np.maximum(columns["p"], 1e-300))), 1),
    }
    if better:
        t = float(np.mean((columns["hi"] - columns["lo"]) / 2 / np.maximum(columns["se"], 1e-300)))
        power = 0.5 * (1 + math.erf((abs(out["diff"]) / stated - t) / math.sqrt(2))) if stated > 0 else 1.0
        out |= {"better": better, "found": round(float(np.mean([verdict == better for verdict in verdicts])), 4)}
        out |= {"power_of_p": round(power, 4)}
    return out


def anything(case: Case, trials: list[dict[str, Any]]) -> dict[str, float]:
    """By view, how often any measure at all is a or b."""
    hits = {
        view: [any(row.get("verdict") in ("a", "b") for row in one["views"][view].values()) for one in trials]
        for view in case.views
    }
    return {view: round(float(np.mean(hit)), 4) for view, hit in hits.items()}


def needed(label: str, trials: list[dict[str, Any]]) -> int | None:
    """Records that the verdict says are needed, for the mean differences and errors of these trials."""
    panel = [*trials[0]["views"]["raw"]]
    found = [_average(name, [one["views"]["raw"][name] for one in trials]) for name in panel]
    return judge(found, {})[panel.index(label)].needed


def _average(label: str, rows: list[dict[str, Any]]) -> Compared:
    known = [row for row in rows if "undefined" not in row]
    measure: Measure = parse([label])[0]
    if not known:
        return Compared(measure, (0, 0), None, rows[0]["undefined"])
    means = {name: float(np.mean([row[name] for row in known])) for name in NUMBERS}
    low, high = (float(np.mean([row["inner"][end] for row in known])) for end in (0, 1))
    n = min(known[0]["n"])
    return Compared(measure, (n, n), Difference(**means, inner=(low, high)), None)


def main() -> None:
    """Run what is missing, print a summary, write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="of a case where nothing differs; fewer of others")
    parser.add_argument("--quick", action="store_true", help="20 trials")
    parser.add_argument("--case", action="append", choices=[*CASES])
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "triptych-verdicts")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("-o", type=Path)
    options = parser.parse_args()
    if not os.environ.get("TRIPTYCH_DATA"):
        sys.exit("TRIPTYCH_DATA names no folder with alpaca_cleaned_52k.jsonl.gz and gsm8k_model_solutions.jsonl.gz")
    started, most = time.perf_counter(), 20 if options.quick else options.trials
    files = pools(Path(os.environ["TRIPTYCH_DATA"]), options.work)
    begin(files)
    for name in files:
        Worker.held.side(name)
    trials = Trials(options.work / f"trials-{code()}.jsonl")
    rows: list[dict[str, Any]] = []
    power: list[dict[str, Any]] = []
    misses: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(options.processes, begin, (files,)) as pool:
        for name in options.case or CASES:
            case = CASES[name]
            count = max(round(most * (1 if case.null == case.views else PLANTED)), 8)
            trials.run([Job(name, case.n, at) for at in range(count)], pool)
            mine = trials.of(name, case.n, count)
            rows.append(
                {
                    "case": name,
                    "what": case.what,
                    "n": case.n,
                    "any": anything(case, mine),
                    "rows": [*summary(case, mine)],
                }
            )
            misses += [*missed(name, case, rows[-1]["rows"])]
            show(rows[-1])
            if name in POWER:
                power.append(powered(name, max(round(most * PLANTED), 8), trials, pool))
                print(power[-1])
    for each in misses:
        print("missed:", each)
    if options.o:
        about = {"alpha": ALPHA, "python": platform.python_version(), "numpy": np.__version__, "code": code()}
        seconds = round(time.perf_counter() - started)
        options.o.write_text(
            json.dumps({**about, "seconds": seconds, "misses": misses, "cases": rows, "power": power}, indent=1) + "\n"
        )


def powered(name: str, count: int, trials: Trials, pool: Any) -> dict[str, Any]:
    """Whether as many records as are said to be needed tell what is to be told."""
    label, verdict, asked = POWER[name]
    trials.run([Job(name, asked, at) for at in range(count)], pool)
    wanted = needed(label, trials.of(name, asked, count))
    out: dict[str, Any] = {"case": name, "measure": label, "verdict": verdict, "asked_at": asked, "needed": wanted}
    if wanted is None or wanted > POOL * 2 // 5:
        return out
    trials.run([Job(name, wanted, at) for at in range(count)], pool)
    rows = [one["views"]["raw"][label] for one in trials.of(name, wanted, count)]
    told = round(float(np.mean([row["verdict"] == verdict for row in rows])), 4)
    return out | {"promised": 0.8, "told": told, "trials": count}


def missed(name: str, case: Case, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Measures that are told apart, or tested, oftener than they should be, and those whose error is stated too large."""
    for row in rows:
        if row["view"] in case.null:
            most = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / row["trials"])
            for what, beyond in (("a_or_b", ALPHA), ("below_.05", most), ("error_ratio", WIDE)):
                if (row[what] or 0) > beyond:
                    yield {"case": name, "view": row["view"], "measure": row["measure"], "what": what, "is": row[what]}


def show(found: dict[str, Any]) -> None:
    """Print the rows of a case."""
    print(f"\n{found['case']}: {found['what']}, n = {found['n']}; any verdict a or b: {found['any']}")
    for row in found["rows"]:
        print(
            f"  {row['view']:7}{row['measure']:42} diff {row['diff']:<10.4g} se {row['se']:<9.3g} ratio "
            f"{row['error_ratio'] or 0:<6} p<.05 {row['below_.05']:.3f}  a|b {row['a_or_b']:.3f}  same "
            f"{row['equivalent']:.3f}"
            + (f"  found {row['found']:.3f}, power of p {row['power_of_p']:.3f}" if "found" in row else "")
        )


if __name__ == "__main__":
    main()
