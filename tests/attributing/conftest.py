"""Finished runs of recipes on disk, small and with effects that are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from triptych.core.rng import stream

OBJECTS = ("apples", "coins", "stamps", "shells", "cards", "beads", "books", "pens")
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana")


def rows_of(n: int, right: float, *labels: str | int, shapes: int = 8, prompts: str = "") -> list[dict[str, Any]]:
    """n sums in words, a share of them right, in so many shapes; with `prompts` those prompts are the same everywhere."""
    rng, seen = stream("attributing", *labels), stream("attributing", prompts or "own", *(() if prompts else labels))
    out = []
    for at in range(n):
        a, b, shape = int(seen.integers(2, 90)), int(seen.integers(2, 90)), int(seen.integers(shapes))
        who, what = NAMES[int(seen.integers(8))], OBJECTS[shape]
        good = bool(rng.random() < right)
        prompt = f"{who} has {a} {what} and gets {b} more, case {at}. How many {what} are there?"
        response = (
            f"{who} starts with {a}. Then {b} are added.\n{a} + {b} = {a + b}\nThe answer is {a + b + (not good)}."
        )
        out.append({"prompt": prompt, "response": response, "correct": int(good)})
    return out


def write_run(folder: Path, rows: Sequence[Mapping[str, Any]], components: Mapping[str, str], **more: Any) -> Path:
    """A folder as `triptych generate` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    document = {
        "schema": "triptych/recipe@1",
        "hash": "0",
        "components": {"seeds": "none", "writer": "lm", "search": "none", "filters": "none", "seed": "0", **components},
        "unknown": [],
        "counts": {"kept": len(rows), "made": 2 * len(rows), "over_budget": 0, "not_looked_at": 0},
        "cost": {"requests": 2 * len(rows), "prompt_tokens": 50 * len(rows), "tokens": 30 * len(rows), "money": None},
        **more,
    }
    (folder / "recipe.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """`rows_of`."""
    return rows_of


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """`write_run` into a folder of this name."""
    return lambda name, *given, **more: write_run(tmp_path / name, *given, **more)


@pytest.fixture
def factorial(run: Callable[..., Path], rows: Callable[..., list[dict[str, Any]]]) -> list[Path]:
    """Two methods by two temperatures; evol is right .3 more often."""
    out = []
    for method in ("few_shot", "evol"):
        for heat in ("0.7", "1.2"):
            made = rows(160, 0.55 + 0.3 * (method == "evol"), method, heat, "factorial")
            parts = {"method": method, "writer.temperature": heat} | ({"method.depth": "2"} if method == "evol" else {})
            out.append(run(f"{method}-{heat}", made, parts))
    return out
