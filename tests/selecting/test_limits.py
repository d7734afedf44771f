"""Limits over real pools: how bounds and lists are read, what is refused, and that what is taken keeps to them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.core.budget import Budget
from triptych.core.errors import SchemaError, SelectionError, UsageError
from triptych.core.selector import Setting
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings
from triptych.selecting.fill import fill
from triptych.selecting.limits import LimitRequest, Limits, needed_fields, parse_bounds, resolve
from triptych.selecting.pool import Pool, PoolRequest, read_pool
from triptych.selectors.random import Random

SITES, MODELS = ("web", "web", "web", "code", "book"), ("a", "b")


def rows(n: int = 40) -> list[dict[str, Any]]:
    """Two answers to each prompt; the last has none and so a defect."""
    made = [
        {
            "id": f"r{at}",
            "prompt": f"What is {at // 2} plus {at // 2}?",
            "response": f"Adding {at // 2} twice, model {MODELS[at % 2]} gets {at // 2 * 2 + at % 2} as the whole answer.",
            "site": SITES[at // 2 % 5],
            "model": MODELS[at % 2],
            "score": at / n,
        }
        for at in range(n)
    ]
    made[-1]["response"] = ""
    return made


def limited(data: Any, asked: LimitRequest, budget: Budget, **more: Any) -> tuple[Pool, Limits]:
    dataset = open_dataset(data)
    with open_bench(Settings(cache=False, workers=1), Progress()) as bench:
        request = PoolRequest(by=needed_fields(asked, dataset), unit=budget.unit, vectors=False, **more)
        pool = read_pool(data, dataset, bench, request)
        return pool, resolve(asked, pool, budget, bench)


def taken(data: Any, asked: LimitRequest, budget: Budget) -> list[int]:
    pool, limits = limited(data, asked, budget)
    basket, _ = fill(pool.candidates, Random(), budget, limits, Setting())
    return sorted([*pool.ordinals(basket.taken).tolist(), *limits.outside.tolist()])


def test_bounds_hold_on_fields_files_and_groups() -> None:
    data = rows()
    asked = LimitRequest(most={"site:web": 5, "model": 0.6, "group": 1}, least=("site:book=20%", "site:code=3"))
    kept = [data[at] for at in taken(data, asked, Budget(12))]
    sites, models = Counter(row["site"] for row in kept), Counter(row["model"] for row in kept)
    assert len(kept) == 12
    assert sites["web"] <= 5
    assert sites["book"] >= 3
    assert sites["code"] >= 3
    assert max(models.values()) <= 7
    assert len({row["prompt"] for row in kept}) == 12


def test_files_are_bounded_by_name(tmp_path: Path) -> None:
    for name, part in (("one.jsonl", rows()[:10]), ("two.jsonl", rows()[10:30])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, part)))
    at = np.array(taken(tmp_path, LimitRequest(least=("source:one.jsonl=7",)), Budget(10)))
    assert (at < 10).sum() >= 7
    with pytest.raises(SchemaError, match=r"--max source:one\.jsonl=N"):
        limited(tmp_path, LimitRequest(most=("source:ones.jsonl=7",)), Budget(10))
    at = np.array(taken(tmp_path, LimitRequest(keep=["two.jsonl:3", "one.jsonl:1"], id_field="line"), Budget(3)))
    assert {0, 12} <= set(at.tolist())


def test_exact_copies_of_an_answer_are_answers_of_one_prompt() -> None:
    data = [*rows(10)[:8], *rows(10)[:8]]
    kept = [data[at]["prompt"] for at in taken(data, LimitRequest(most=("group=1",)), Budget(4))]
    assert len(set(kept)) == 4


@pytest.mark.parametrize(
    ("most", "error", "text"),
    [
        (("sit:web=3",), SchemaError, "--max site:web=N"),
        (("site:wep=3",), SchemaError, "--max site:web=N"),
        (("site:web",), UsageError, "FIELD:VALUE=N"),
        (("site:web=1.5",), UsageError, "a share of the budget"),
        (("site:web=-3",), UsageError, "a share of the budget"),
        (("site:web=3", "site:web=4"), UsageError, "given twice"),
        (("group:x=3",), SchemaError, "no name"),
        (("structure=3",), SchemaError, "no structure field"),
    ],
)
def test_bounds_that_cannot_be_read_are_errors(most: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        limited(rows(), LimitRequest(most=most), Budget(5))


def test_names_of_fields_and_values_may_hold_colons_and_equal_signs() -> None:
    data = [row | {"my:field": "a=b:c" if at < 20 else "d"} for at, row in enumerate(rows())]
    [bound] = parse_bounds(LimitRequest(most=("my:field:a=b:c=3",)), open_dataset(data))
    assert (bound.field, bound.value, bound.number) == ("my:field", "a=b:c", 3)
    assert sum(at < 20 for at in taken(data, LimitRequest(most=("my:field:a=b:c=3",)), Budget(10))) <= 3


def test_a_bound_of_one_value_goes_before_that_of_every_value() -> None:
    data = rows()
    kept = Counter(data[at]["site"] for at in taken(data, LimitRequest(most=("site=2", "site:web=6")), Budget(10)))
    assert kept == {"web": 6, "code": 2, "book": 2}


def test_values_that_are_missing_are_not_bounded() -> None:
    data = [row | {"site": None} if at < 30 else row for at, row in enumerate(rows())]
    assert len(taken(data, LimitRequest(most=("site=1",)), Budget(32))) == 32


@pytest.mark.parametrize(
    ("asked", "budget", "text"),
    [
        (LimitRequest(least=("site:code=9",)), 20, "--min site:code=9 -> 8"),
        (LimitRequest(least=("site:code=6", "site:book=6")), 10, "--min site:.*=6 -> 4"),
        (LimitRequest(most=("site:web=3",)), 20, "--max site:web=3 -> 5, or --budget 18"),
        (LimitRequest(most=("site:web=1",), keep=["r0", "r1"]), 10, "--max site:web=1 -> 2"),
        (LimitRequest(keep=["r0", "r1", "r2"]), 2, "--budget '3 records'"),
        (LimitRequest(), 50, "39 records in 39 candidates of 40 records; left out: 1 "),
    ],
)
def test_limits_that_cannot_be_met_name_the_smallest_change(asked: LimitRequest, budget: int, text: str) -> None:
    with pytest.raises(SelectionError) as error:
        taken(rows(), asked, Budget(budget))
    assert re.search(text, str(error.value)), str(error.value)


def test_lists_name_records_by_id_by_line_and_by_content(tmp_path: Path) -> None:
    data = rows()
    ids, lines, content = tmp_path / "ids.txt", tmp_path / "lines.txt", tmp_path / "rows.jsonl"
    ids.write_text("r3\n\nr7\n")
    lines.write_text("4\n8\n")
    content.write_text("\n".join(json.dumps({k: data[at][k] for k in ("prompt", "response")}) for at in (3, 7)))
    bare = [{k: v for k, v in row.items() if k != "id"} for row in data]
    for source, listed in ((data, ids), (data, content), (bare, lines), (data, ["r3", {"id": "r7"}])):
        pool, limits = limited(source, LimitRequest(keep=listed), Budget(5))
        assert sorted(pool.first[limits.keep].tolist()) == [3, 7], listed
        assert limits.notes[0].startswith("--keep: 2 by") or "1 by" in limits.notes[0]
        assert not {3, 7} & set(taken(source, LimitRequest(drop=listed), Budget(37)))


def test_entries_that_name_nothing_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"2 entries name no record.*\n.*r77, r99"):
        limited(rows(), LimitRequest(keep=["r77", "r3", "r99"]), Budget(5))
    with pytest.raises(UsageError, match="1 records are on both lists"):
        limited(rows(), LimitRequest(keep=["r3", "r4"], drop=["r4"]), Budget(5))
    with pytest.raises(UsageError, match="the list is empty"):
        limited(rows(), LimitRequest(keep=[]), Budget(5))
    with pytest.raises(UsageError, match="--id-field score"):
        limited(rows(), LimitRequest(keep=["r3"], id_field="scor"), Budget(5))
    bare = [{k: v for k, v in row.items() if k != "id"} for row in rows()]
    with pytest.raises(UsageError, match="a line number"):
        limited(bare, LimitRequest(keep=["r3"]), Budget(5))


def test_a_must_keep_with_a_defect_is_kept_beside_the_candidates_and_counts() -> None:
    asked = LimitRequest(keep=["r39", "r0"], most=("site:book=2",))
    pool, limits = limited(rows(), asked, Budget(10))
    assert limits.outside.tolist() == [39]
    assert limits.spent == 1
    assert limits.warnings[0][0] == "kept_outside"
    kept = taken(rows(), asked, Budget(10))
    assert len(kept) == 10
    assert {0, 39} <= set(kept)
    assert sum(rows()[at]["site"] == "book" for at in kept) <= 2
    assert pool.owner[39] == -1


def test_a_share_needs_candidates_that_count_the_same() -> None:
    with pytest.raises(UsageError, match="a share needs a budget"):
        limited(rows(), LimitRequest(most=("site:web=0.3",)), Budget(300, "tokens"))


def test_minimums_hold_under_a_budget_of_tokens() -> None:
    data = rows()
    pool, limits = limited(data, LimitRequest(least=("site:book=5",)), Budget(300, "tokens"))
    basket, _ = fill(pool.candidates, Random(), Budget(300, "tokens"), limits, Setting())
    at = pool.ordinals(basket.taken)
    assert sum(data[one]["site"] == "book" for one in at) >= 5
    assert basket.left < pool.tokens.max()
    assert pool.tokens[at].sum() + basket.left == 300


def test_rows_of_several_records_are_kept_whole() -> None:
    data = [
        {"prompt": f"Question {at}?", "chosen": f"Yes, {at} it is.", "rejected": f"No {at} here.", "site": "ab"[at % 2]}
        for at in range(12)
    ]
    at = taken(data, LimitRequest(most=("site:a=2",), keep=["1"]), Budget(12))
    assert len(at) == 12
    assert at[:2] == [0, 1]
    assert sum(one // 2 % 2 == 0 for one in at) == 4
