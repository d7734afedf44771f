"""Methods and searches in whole runs, with a world as the writer: what is written holds together."""

from __future__ import annotations

import json

import pytest

from triptych.generating.recipe import Recipe
from triptych.generating.run import RunOptions, run_recipe

PAIRS = (
    ({"name": "given"}, {"name": "rejection", "samples": 3, "keep": "all", "floor": 1}),
    ({"name": "few_shot"}, {"name": "sparse_clusters"}),
    ({"name": "self_instruct", "instances": "plain"}, {"name": "map_elites", "clusters": 4}),
    ({"name": "evol_instruct", "depth": 2}, {"name": "rejection", "samples": 2}),
    ({"name": "evol_instruct", "depth": 3}, {"name": "none"}),
    ({"name": "self_instruct"}, {"name": "none"}),
    ({"name": "attributed", "grid": {"form": ["question", "order"]}}, {"name": "map_elites", "keep": "elites"}),
)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("method", "search"), PAIRS, ids=[f"{m['name']}-{s['name']}" for m, s in PAIRS])
def test_a_run_writes_records_whose_parents_are_there(tmp_path, method, search):
    recipe = Recipe.of(
        {
            "batch": 8,
            "patience": 4,
            "seeds": {"world": "programs", "records": 30},
            "writer": {"kind": "world", "world": "programs", "quality": 0.7},
            "method": method,
            "search": search,
            "grade": {"world": "programs"},
            "budget": {"records": 24},
        }
    )
    documents = [run_recipe(recipe, tmp_path / name, None, RunOptions(axes=False)) for name in ("one", "two")]
    assert (tmp_path / "one" / "data.jsonl").read_bytes() == (tmp_path / "two" / "data.jsonl").read_bytes()
    made = rows(tmp_path / "one" / "data.jsonl")
    counts = documents[0]["counts"]
    assert len(made) == counts["kept"] >= 4
    assert counts["kept"] == 24 or documents[0]["ended"] == "short"
    there = {row["id"] for row in made} | {f"seed-{place}" for place in range(30)}
    there |= {row["method"]["id"] for row in rows(tmp_path / "one" / "failed.jsonl") if "id" in row.get("method", {})}
    for row in made:
        assert set(row["triptych"]["parents"]) <= there
        assert row["triptych"]["asks"] >= (0 if search["name"] == "rejection" else 1)
    if search["name"] == "rejection":
        grades = [row["triptych"]["method"]["grade"] for row in made]
        assert set(grades) <= {0.0, 1.0}
        assert sum(grades) / len(grades) > 0.85
