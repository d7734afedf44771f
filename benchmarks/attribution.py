"""Do the intervals of `triptych attribute` hold? `python benchmarks/attribution.py [--trials 1000] [--quick]`.

Runs of recipes with effects that are known, drawn anew in every trial and scored by the product's own code: how often the
95 % interval holds the truth, and how often anything is called raised or lowered where nothing is (one family, Holm).

    share       whether a record is right: rates by cell                   (kind of interval: share)
    steps       steps of a record: skewed counts                           (plain)
    structures  effective number of skeletons (Hill, order 2), the truth its mean at this size over 4,000 draws (effective)
    shared      cells that differ in a filter hold mostly the same records: read jointly, and as if independent
    runs        every run of a recipe has a rate of its own (SD .06): one run of each cell, and 2 or 4 of them
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import harness

from triptych.attributing.cells import Cells
from triptych.attributing.effects import LOWERS, RAISES, SAME, effects
from triptych.attributing.factors import Components, components_of
from triptych.comparing.verdict import Margin
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.interval import Changes, changes
from triptych.core.registry import parse
from triptych.core.rng import stream

LEVELS = {"method": ("few_shot", "evol", "taxonomy"), "temperature": ("0.7", "1.2"), "filters": ("none", "near")}
Y = Mapping[tuple[str, ...], float]


def read(sums: np.ndarray, sizes: np.ndarray, kind: Any) -> Changes:
    """Changes of a mean over records whose sums and numbers by group are given."""

    def value(keep: np.ndarray) -> float | Undefined:
        n = sizes[keep].sum()
        return float(sums[keep].sum() / n) if n else Undefined("no record")

    return known(changes(value, lambda keep: int(sizes[keep].sum()), kind))


def known(found: Changes | Undefined) -> Changes:
    assert isinstance(found, Changes), found
    return found


def mean_of(values: np.ndarray, group: np.ndarray, kind: Any) -> Changes:
    """Changes of the mean of numbers in groups."""
    return read(np.bincount(group, values, GROUPS), np.bincount(group, minlength=GROUPS), kind)


def hill_of(kinds: np.ndarray, group: np.ndarray, most: int) -> Changes:
    """Changes of the effective number of kinds, order 2."""
    table = np.zeros((GROUPS, most))
    np.add.at(table, (group, kinds), 1)
    sizes = table.sum(axis=1).astype(np.int64)

    def value(keep: np.ndarray) -> float | Undefined:
        shares = table[keep].sum(axis=0)
        n = shares.sum()
        return float(n**2 / (shares**2).sum()) if n else Undefined("no record")

    return known(changes(value, lambda keep: int(sizes[keep].sum()), "effective"))


@dataclass(frozen=True)
class Case:
    """A way to draw runs: `draw(rng, point)` gives the changes of one run of a cell; `truth` the expected value of a cell."""

    name: str
    measure: str
    draw: Callable[[np.random.Generator, dict[str, str]], Changes]
    truth: Callable[[dict[str, str]], float]
    replicates: int = 1
    joint: bool = False
    whole: Callable[[np.random.Generator], list[Changes]] | None = None
    note: str = ""
    points: Sequence[dict[str, str]] = field(default_factory=lambda: POINTS)


POINTS = [dict(zip(LEVELS, point, strict=True)) for point in product(*LEVELS.values())]
BASE = {name: levels[0] for name, levels in LEVELS.items()}
ONE_AT_A_TIME = [BASE, *({**BASE, name: level} for name, levels in LEVELS.items() for level in levels[1:])]


def rate(point: Mapping[str, str], size: float) -> float:
    """Of right records: evol .1 less, taxonomy .05 more, hot .06 less, near .04 more, at size 1."""
    shift = {"few_shot": 0.0, "evol": -0.1, "taxonomy": 0.05}[point["method"]]
    shift += -0.06 if point["temperature"] == "1.2" else 0.0
    return 0.7 + size * (shift + (0.04 if point["filters"] == "near" else 0.0))


def share_case(
    n: int, size: float, base: float = 0.0, points: Sequence[dict[str, str]] = POINTS, name: str = ""
) -> Case:
    def draw(rng: np.random.Generator, point: dict[str, str]) -> Changes:
        right = (rng.random(n) < rate(point, size) + base).astype(float)
        return mean_of(right, rng.integers(0, GROUPS, n), "share")

    label = name or f"share, {n} records" + (f", rates near {0.7 + base:g}" if base else "")
    return Case(label, "label_mean:field=correct", draw, lambda point: rate(point, size) + base, points=points)


def steps_case(n: int, size: float) -> Case:
    def middle(point: Mapping[str, str]) -> float:
        return 4 + size * (10 * (rate(point, 1.0) - 0.7))

    def draw(rng: np.random.Generator, point: dict[str, str]) -> Changes:
        values = rng.lognormal(0.0, 0.8, n) * middle(point) / np.exp(0.32)
        return mean_of(values, rng.integers(0, GROUPS, n), "plain")

    return Case(f"steps, {n} records", "reasoning_steps", draw, middle)


def structures_case(n: int, size: float) -> Case:
    def skewed(point: Mapping[str, str]) -> np.ndarray:
        many = 40 + int(size * 150 * (rate(point, 1.0) - 0.6))
        weights = 1 / np.arange(1, many + 1) ** 0.7
        return weights / weights.sum()

    def draw(rng: np.random.Generator, point: dict[str, str]) -> Changes:
        shares = skewed(point)
        return hill_of(rng.choice(len(shares), n, p=shares), rng.integers(0, GROUPS, n), len(shares))

    cache: dict[tuple[str, ...], float] = {}

    def truth(point: dict[str, str]) -> float:
        shares = skewed(point)
        if len(shares) not in cache:
            counts = stream("attribution", "truth", n, len(shares)).multinomial(n, shares, 4000)
            cache[len(shares)] = float((n**2 / (counts**2).sum(axis=1)).mean())
        return cache[len(shares)]

    return Case(f"structures, {n} records", "effective_structures", draw, truth)


def shared_case(n: int, size: float, *, joint: bool) -> Case:
    """A filter drops records of the unfiltered run: wrong ones twice as often. Groups are those of the records."""

    def whole(rng: np.random.Generator) -> list[Changes]:
        out = {}
        for method, heat in product(LEVELS["method"], LEVELS["temperature"]):
            right = rng.random(n) < rate({"method": method, "temperature": heat, "filters": "none"}, size)
            group = rng.integers(0, GROUPS, n)
            kept = rng.random(n) > np.where(right, 0.2, 0.2 + 0.2 * size)
            out[method, heat, "none"] = mean_of(right.astype(float), group, "share")
            out[method, heat, "near"] = mean_of(right[kept].astype(float), group[kept], "share")
        return [out[tuple(point.values())] for point in POINTS]  # type: ignore[index]

    def truth(point: dict[str, str]) -> float:
        p = rate({**point, "filters": "none"}, size)
        right, wrong = p * 0.8, (1 - p) * (0.8 - 0.2 * size)
        return p if point["filters"] == "none" else right / (right + wrong)

    how = "read jointly" if joint else "as if independent"
    return Case(f"shared, {n} records, {how}", "label_mean:field=correct", _none, truth, joint=joint, whole=whole)


def runs_case(n: int, size: float, replicates: int, spread: float = 0.06) -> Case:
    def draw(rng: np.random.Generator, point: dict[str, str]) -> Changes:
        p = np.clip(rate(point, size) + spread * rng.normal(), 0.02, 0.98)
        return mean_of((rng.random(n) < p).astype(float), rng.integers(0, GROUPS, n), "share")

    label = f"runs, {n} records, {replicates} run{'s' if replicates > 1 else ''} of each cell"
    return Case(label, "label_mean:field=correct", draw, lambda point: rate(point, size), replicates)


def _none(rng: np.random.Generator, point: dict[str, str]) -> Changes:
    raise AssertionError(f"all runs of this case are drawn at once, not {point} from {rng}")


def truths(points: Sequence[dict[str, str]], truth: Callable[[dict[str, str]], float]) -> dict[tuple[str, ...], float]:
    """True main effects, by component and level: means over the cells of the design."""
    values = np.array([truth(point) for point in points])
    out: dict[tuple[str, ...], float] = {}
    for name, levels in LEVELS.items():
        for level in levels[1:]:
            if len(points) == len(POINTS):
                at = [np.array([point[name] == one for point in points]) for one in (level, levels[0])]
                out[name, level] = float(values[at[0]].mean() - values[at[1]].mean())
            else:
                out[name, level] = truth({**BASE, name: level}) - truth(BASE)
    return out


def components(case: Case) -> Components:
    """The components of the runs of a case."""
    return components_of(
        [point for point in case.points for _ in range(case.replicates)], [()] * (len(case.points) * case.replicates)
    )


def trial(case: Case, parts: Components, number: int) -> Any:
    """One draw of all runs, scored."""
    rng = stream("attribution", case.name, number)
    if case.whole is not None:
        found = case.whole(rng)
    else:
        found = [case.draw(rng, point) for point in case.points for _ in range(case.replicates)]
    measure = parse([case.measure])[0]
    sides = tuple(SimpleNamespace(name=f"run {at}") for at in range(len(found)))
    cells = Cells(sides, (), (measure,), frozenset(), case.joint, tuple((one,) for one in found))  # type: ignore[arg-type]
    return effects(cells, parts, {case.measure: Margin(0.02)} if "label" in case.measure else {})


def run(case: Case, null: Case, trials: int) -> dict[str, Any]:
    """Coverage with effects and without, and false findings without."""
    inside: dict[tuple[str, str], list[bool]] = {}
    widths, alone, told = [], [], []
    truth, parts = truths(case.points, case.truth), components(case)
    for number in range(trials):
        found = trial(case, parts, number)
        for row in found.main:
            key = (row["component"], row["level"])
            inside.setdefault(key, []).append(row["lo"] <= truth[key] <= row["hi"])
            widths.append(row["hi"] - row["lo"])
            told.append(row["verdict"] == (RAISES if truth[key] > 0 else LOWERS))
            alone.append(row["within"]["lo"] <= truth[key] <= row["within"]["hi"])
    false_main, false_pairs, covered, same, lonely = [], [], [], [], []
    nothing = truths(null.points, null.truth)
    for number in range(trials):
        found = trial(null, parts, trials + number)
        false_main.append(any(row["verdict"] in (RAISES, LOWERS) for row in found.main))
        false_pairs.append(any(row["verdict"] in (RAISES, LOWERS) for row in found.pairs))
        covered += [row["lo"] <= nothing[row["component"], row["level"]] <= row["hi"] for row in found.main]
        same += [row["verdict"] == SAME for row in found.main]
        lonely += [row["p"] < 0.05 for row in found.scatter]
    return {
        "case": case.name,
        "runs": len(case.points) * case.replicates,
        "trials": trials,
        "coverage": round(float(np.mean([one for each in inside.values() for one in each])), 4),
        "coverage_of_records_alone": round(float(np.mean(alone)), 4),
        "worst_effect": round(min(float(np.mean(each)) for each in inside.values()), 4),
        "coverage_without_effects": round(float(np.mean(covered)), 4),
        "false_finding_in_family": round(float(np.mean(false_main)), 4),
        "false_finding_in_pairs": round(float(np.mean(false_pairs)), 4),
        "true_effects_found": round(float(np.mean(told)), 4),
        "called_equivalent_without_effects": round(float(np.mean(same)), 4),
        "mean_width": round(float(np.mean(widths)), 4),
        "scatter_told": round(float(np.mean(lonely)), 4) if lonely else None,
    }


def cases() -> list[tuple[Case, Case]]:
    """Each with effects, and without."""
    return [
        *((share_case(n, 1.0), share_case(n, 0.0)) for n in (30, 100, 300)),
        (share_case(100, 0.2, 0.27), share_case(100, 0.0, 0.27)),
        (steps_case(100, 1.0), steps_case(100, 0.0)),
        (structures_case(300, 1.0), structures_case(300, 0.0)),
        (
            share_case(300, 1.0, points=ONE_AT_A_TIME, name="share, 300 records, one at a time"),
            share_case(300, 0.0, points=ONE_AT_A_TIME, name="share, 300 records, one at a time"),
        ),
        *((shared_case(300, 1.0, joint=joint), shared_case(300, 0.0, joint=joint)) for joint in (True, False)),
        *((runs_case(300, 1.0, each), runs_case(300, 0.0, each)) for each in (1, 2, 4)),
    ]


def main() -> None:
    """All cases, into `results/attribution.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="few trials, nothing is written")
    arguments = parser.parse_args()
    trials = 40 if arguments.quick else arguments.trials
    started, rows = time.perf_counter(), []
    for with_effects, without in cases():
        rows.append(run(with_effects, without, trials))
        print(rows[-1], flush=True)
    note = (
        "Coverage: over all main effects of a 3 x 2 x 2 design (or one at a time). A family: all main effects on one measure, "
        "Holm. With one run of each cell the interval is the wider of that of the records alone and that of the scatter of the "
        "cells (degrees of freedom 7 for main effects here, 2 for pairs; one at a time has none). In the cases 'runs' the truth is the mean over runs of a recipe; scatter_told is how often the page says that "
        "runs scatter more than their records explain, without effects."
    )
    seconds = round(time.perf_counter() - started, 1)
    harness.save("attribution", {"note": note, "seconds": seconds, "rows": rows}, arguments.quick)


if __name__ == "__main__":
    main()
