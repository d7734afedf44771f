"""The rule that deals records to groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych.core.places import default_cache
from triptych.data import open_dataset
from triptych.engines.cache import ColumnCache
from triptych.engines.grouping import Grouping, group_records
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import scan
from triptych.features.keys import TextKeys


def grouping(rows: list[dict[str, Any]]) -> Grouping:
    with LocalEngine(1) as engine:
        dataset = open_dataset(rows)
        store = scan(dataset, [TextKeys()], ColumnCache(default_cache()), engine, Progress())
        return group_records(store, dataset.layout)


def groups_of(found: Grouping, members: list[int]) -> set[int]:
    return {int(found.keys.group[i]) for i in members}


def test_records_on_their_own_are_spread_evenly() -> None:
    found = grouping([{"prompt": f"p{i}", "response": f"r{i}"} for i in range(6400)])
    sizes = np.bincount(found.keys.group, minlength=32)
    assert found.clusters == 0
    assert sizes.min() > 140
    assert sizes.max() < 260


def test_copies_are_spread_by_address() -> None:
    rows = [{"prompt": f"p{i % 100}", "response": f"r{i % 100}"} for i in range(10_000)]
    found = grouping(rows)
    one_group = np.flatnonzero(found.keys.group == 5)
    assert 90 <= len({int(i) % 100 for i in one_group}) <= 100
    assert found.sentence.startswith("each record on its own")


def test_different_responses_to_a_prompt_stay_together() -> None:
    rows = [{"prompt": f"p{i % 50}", "response": f"r{i}"} for i in range(500)] + [{"prompt": "q", "response": "r"}] * 40
    found = grouping(rows)
    assert all(len(groups_of(found, list(range(p, 500, 50)))) == 1 for p in range(50))
    assert len(groups_of(found, list(range(500, 540)))) > 10
    assert found.clusters == 50


def test_a_group_field_wins() -> None:
    rows = [{"prompt": f"p{i}", "response": f"r{i}", "group_id": i % 20} for i in range(400)]
    found = grouping(rows)
    assert all(len(groups_of(found, list(range(g, 400, 20)))) == 1 for g in range(20))
    assert "group_id" in found.sentence


def test_completions_of_one_row_stay_together() -> None:
    found = grouping([{"prompt": "p", "completions": [f"a{i}", f"b{i}", f"c{i}"]} for i in range(100)])
    assert len(found.keys) == 300
    assert all(len(groups_of(found, [3 * i, 3 * i + 1, 3 * i + 2])) == 1 for i in range(100))
    assert len(groups_of(found, list(range(300)))) > 25
