"""The verb `frontier`: read the pool once, choose every point, judge all, put the document together, write a pick."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych.core.errors import SelectionError, message
from triptych.core.profile import write_json
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.selecting.frontier.document import SCHEMA, noise, points_of, shape, threshold, warnings
from triptych.selecting.frontier.judging import LEXICON, SAMPLE, TFIDF, Judge, another_encoder, measures_for
from triptych.selecting.frontier.pick import Rule, picked
from triptych.selecting.frontier.points import HEAVY, Plan, planned, served, split
from triptych.selecting.frontier.sweep import PointLog, Sweep, Swept
from triptych.selecting.frontier.typicality import typicality
from triptych.selecting.pool import Pool, PoolRequest, read_pool
from triptych.selecting.request import SelectRequest
from triptych.selecting.run import OWN as PICKED
from triptych.selecting.run import Selection, select_records

POINTS, DOCUMENT = "points.jsonl", "frontier.json"
FRONTIER_FILES = frozenset({POINTS, DOCUMENT, "report.html", *PICKED})
"""What is written into the folder."""

_OPTIONS = ("policies", "pick", "judge", "judge_encoder")


@dataclass(frozen=True)
class FrontierRequest:
    """What is asked for.

    Attributes:
        selection: what is asked of every point: all of `select` but the policy.
        policies: as after `--policies`; empty: all that the data can serve.
        pick: the rule, or None.
        judge: label of the measure of diversity on the x axis.
        judge_encoder: an encoder whose vectors are to judge too, or None.
        seed: of the policies, and of the first random draw.
    """

    selection: SelectRequest
    policies: tuple[str, ...] = ()
    pick: Rule | None = None
    judge: str = TFIDF
    judge_encoder: str | None = None
    seed: int = 0

    @classmethod
    def of(cls, budget: str | int, options: Mapping[str, Any], seed: int) -> FrontierRequest:
        """A request from what the user wrote.

        Args:
            budget: of every point, as for `select`.
            options: policies, pick, judge, judge_encoder, quality, complexity, and the options of `select`; None is as if left out.
            seed: of the policies.

        Raises:
            InputError: something is not right; the message says what would be.
        """
        given = {name: value for name, value in options.items() if value is not None}
        own = {name: given.pop(name) for name in _OPTIONS if name in given}
        read_from = {name: given.pop(name, None) for name in ("quality", "complexity")}
        selection = SelectRequest.of(budget, "random", **read_from, options=given)
        policies = own.get("policies", ())
        policies = (policies,) if isinstance(policies, str) else tuple(policies)
        judge = str(own.get("judge", TFIDF))
        measures_for(judge)
        planned(policies, seed)
        pick = Rule.of(own["pick"]) if "pick" in own else None
        return cls(selection, policies, pick, judge, own.get("judge_encoder"), seed)

    def reading(self, plan: Plan, dataset: Dataset) -> PoolRequest:
        """What is to be read of the pool. Fields of policies that nobody asked for are read where there are such."""
        fields = [name for name in plan.fields() if self.policies or name in dataset.layout.known]
        asked = replace(self.selection, by=tuple(dict.fromkeys([*self.selection.by, *fields])))
        return asked.reading(dataset, measures_for(self.judge), vectors=True)


@dataclass(frozen=True)
class Found:
    """A finished frontier: its document, and the selection that was picked."""

    document: dict[str, Any]
    selection: Selection | None


def run_frontier(
    source: object, dataset: Dataset, bench: Bench, request: FrontierRequest, folder: Path | None
) -> Found:
    """Sweep the policies over a data set.

    Args:
        source: what the data set was opened from.
        dataset: the data.
        bench: what to work with.
        request: what is asked for.
        folder: where `points.jsonl` is kept, from which a second call goes on; None: nothing is kept.

    Raises:
        InputError: bad input or usage; a budget or a limit that no policy can meet; a pick that no point fits.
    """
    started = time.perf_counter()
    plan, budget = planned(request.policies, request.seed), request.selection.budget
    pool = read_pool(source, dataset, bench, request.reading(plan, dataset))
    _check(pool, request)
    records = budget.number / float(pool.candidates.cost.mean())
    plan = served(plan, pool, len(pool) * records, request.policies)
    log = PointLog(folder / POINTS if folder else None)
    sweep = Sweep(pool, budget, request.selection.limits, bench, log)
    swept = sweep.choose(plan.points)
    more = [another_encoder(request.judge_encoder, pool, bench)] if request.judge_encoder else []
    judge = Judge(pool, request.judge, bench.engine, more)
    sweep.judge(swept, judge)
    found = shape(swept, judge.rulers)
    label = judge.rulers[0].label
    pick = picked(request.pick, swept, label, found) if request.pick else None
    document = {
        "schema": SCHEMA,
        **_head(pool, request, swept, judge),
        "points": points_of(swept, judge, pool),
        **found,
        "noise": noise(swept, judge.rulers),
        "threshold": threshold(swept, judge.rulers),
        "typicality": typicality(pool),
        "pick": pick,
        "failed": [{"policy": name, "error": error} for name, error in swept.failed],
        "skipped": [{"policy": name, "reason": reason} for name, reason in plan.skipped],
        "warnings": warnings(swept, judge, pool),
        "provenance": bench.provenance(time.perf_counter() - started),
    }
    selection = None
    if pick:
        point = next(one.point for one in swept.taken if one.point.id == pick["id"])
        again = replace(bench, settings=replace(bench.settings, seed=point.seed))
        selection = select_records(source, dataset, again, replace(request.selection, policy=point.policy))
    return Found(document, selection)


def save(found: Found, folder: Path) -> None:
    """Write `frontier.json`, and the picked selection as `select` does; an earlier pick is removed."""
    for name in PICKED:
        (folder / name).unlink(missing_ok=True)
    if found.selection is not None:
        found.selection.save(folder)
    write_json(folder / DOCUMENT, found.document)


def describe_frontier(dataset: Dataset, request: FrontierRequest) -> str:
    """What `run_frontier` would do, in words. Reads the head of the data alone."""
    plan = planned(request.policies, request.seed)
    counts: dict[str, int] = {}
    for point in plan.points:
        counts[point.policy.name] = counts.get(point.policy.name, 0) + 1
    rows = dataset.expected_rows()
    lines = [
        f"{dataset.name}: {dataset.layout.sentence}",
        f"pass over the source: features of {f'about {rows:,} rows' if rows else 'all rows'}; kept in the cache",
        f"points: {len(plan.points)}, each a selection of {request.selection.budget}; a policy that the data cannot serve is left out",
        *(f"  {name}: {count} point{'s' * (count != 1)}" for name, count in counts.items()),
        *(f"  {name}: left out: {reason}" for name, reason in plan.skipped),
        "left out of large pools, unless named, by candidates times budget: "
        + ", ".join(f"{name} above {most:.0e}" for name, most in HEAVY.items()),
        f"judges of diversity: {', '.join(dict.fromkeys([request.judge, TFIDF, *measures_for(request.judge)]))}",
        f"  TF-IDF reads at most {SAMPLE:,} records of a selection, document frequencies at most {LEXICON:,} of the pool",
        f"resumable: every finished point is a line of {POINTS} in the result folder",
        "calls to a model endpoint: 0; cost: 0",
    ]
    return "\n".join(lines)


def _check(pool: Pool, request: FrontierRequest) -> None:
    """There must be a quality to trade.

    Raises:
        SelectionError: no label is there or named, and all candidates are valid.
    """
    if pool.quality is not None or request.selection.with_invalid:
        return
    what = f"{pool.dataset.name}: a frontier trades quality for diversity, and the records have no quality."
    got = "fields " + ", ".join(sorted(map(str, pool.dataset.layout.known)))
    want = "a field with numbers, FIELD=VALUE, or --with-invalid for the share of valid records"
    raise SelectionError(message(what, got=got, want=want, hint="--quality FIELD"))


def _head(pool: Pool, request: FrontierRequest, swept: Swept, judge: Judge) -> dict[str, Any]:
    """What was swept, and what the axes are."""
    dataset, summary = pool.dataset, pool.dataset.summary
    complexity = pool.complexity
    return {
        "data": {
            "name": dataset.name,
            "path": dataset.path,
            "sha256": summary.sha256 if summary else None,
            "rows": summary.rows if summary else None,
            "records": len(pool.store),
            "detected": dataset.layout.sentence,
        },
        "pool": {
            "records": len(pool.store),
            "candidates": len(pool),
            "tokens": int(pool.tokens.sum()),
            **{f"left out: {reason}": len(ordinals) for reason, ordinals in pool.left_out.items()},
            "grouping": pool.grouping.sentence,
        },
        "budget": {"number": request.selection.budget.number, "unit": request.selection.budget.unit},
        "seed": request.seed,
        "policies": split(request.policies),
        "at": swept.at,
        "quality": {"label": judge.quality_label, "unit": "label" if pool.quality else "ratio"},
        "diversity": [ruler.to_json(swept.at) for ruler in judge.rulers],
        "complexity": {"label": complexity.label, "unit": "label" if complexity.field else "mean"}
        if complexity
        else None,
        "detected": list(pool.detected),
        "rules": RULES,
    }


RULES = {
    "dominated": "another point is at least as good on both axes and better on one, by value",
    "clearly_dominated": "dominated, and beyond the intervals on one axis (MOVER, the sets taken as independent)",
    "hypervolume": "share of the box between the worst and the best value of each axis over all points",
    "knee": "of the front of the policies' points scaled to 0..1, the one farthest above the chord between its ends",
    "price": "quality lost for one more effective record, between neighbours of a front",
    "judge": f"TF-IDF cosines of at most {SAMPLE:,} records of a selection; document frequencies of at most {LEXICON:,} "
    "candidates",
}
