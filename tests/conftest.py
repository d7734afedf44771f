"""Fixtures that all tests share: a cache of their own, and small data sets in English."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triptych.core.rng import stream

OPENINGS = ("Explain", "Describe", "Summarize", "Compare", "List", "Rewrite", "Translate", "Plan")
THINGS = (
    "river",
    "market",
    "engine",
    "garden",
    "ledger",
    "bridge",
    "melody",
    "harvest",
    "planet",
    "library",
    "kitchen",
)
VERBS = ("moves", "grows", "breaks", "sells", "turns", "waits", "opens", "carries", "holds", "changes")
PLACES = ("in the old town", "near the coast", "after the rain", "under the hill", "at dawn", "behind the mill")


def make_rows(n: int, *labels: str | int, copies: float = 0.0) -> list[dict[str, Any]]:
    """n rows with a prompt, a response of one to six sentences and a label; a share of them repeats earlier rows."""
    rng = stream("rows", n, *labels)
    rows: list[dict[str, Any]] = []
    for i in range(n):
        if rows and rng.random() < copies:
            rows.append(dict(rows[int(rng.integers(len(rows)))]))
            continue
        pick = lambda words: str(words[int(rng.integers(len(words)))])  # noqa: E731
        prompt = (
            f"{pick(OPENINGS)} how the {pick(THINGS)} number {int(rng.integers(1000))} {pick(VERBS)} {pick(PLACES)}."
        )
        sentences = [
            f"The {pick(THINGS)} {pick(VERBS)} {pick(PLACES)}, and so the {pick(THINGS)} {pick(VERBS)} {i % 7} times."
            for _ in range(int(rng.integers(1, 7)))
        ]
        rows.append({"prompt": prompt, "response": " ".join(sentences), "score": float(rng.random())})
    return rows


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty cache, so that nothing is read from another test or from the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TRIPTYCH_CACHE", str(folder))
    return folder


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    """The function that makes rows."""
    return make_rows
